package guard

// abouts say what each guard objects to, for people who choose its limits.
var abouts = map[string]string{
	"first_connection":      "A team that is connected for the first time would lose members. Somebody looks at who they are first.",
	"empty_group":           "A group that had members has come back empty. It may be a slip at the identity provider.",
	"missing_group":         "A mapped group is no longer listed. It counts as empty only when it has been gone for a while, over two complete reads.",
	"team_removals":         "A team would lose more of its members at once, or within a day, than is usual.",
	"team_additions":        "A connected team would gain more members at once than is usual.",
	"source_removals":       "One identity provider's word would take out more people, or shrink more groups, than is usual.",
	"organization_removals": "The whole organization would lose more memberships within a day than is usual.",
	"source_shape":          "An identity provider looks different from before: its number of groups or users, or the share that is linked or active, has jumped.",
	"disabled_users":        "Many users of an identity provider have become inactive at once.",
	"lost_links":            "Many linked identities have been revoked at once.",
	"mappings_lost":         "Many teams have lost their mapping in one load of the configuration file.",
	"stale_source":          "An identity provider has not been read in full for long. Nobody is removed on old news.",
	"approval":              "The organization's plans wait for a person (apply: approve).",
	"protected":             "An account that is protected, or our own, would be removed. The mapping keeps them already; this is the second lock.",
	"foreign_writer":        "Somebody else changes the team under our own credential: a second Musterline, or a script.",
}

// About says in a sentence or two what a guard objects to, and why; empty for a name that no guard has.
func About(name string) string { return abouts[name] }
