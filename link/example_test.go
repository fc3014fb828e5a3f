package link_test

import (
	"fmt"

	"musterline.example/directory"
	"musterline.example/link"
	"musterline.example/team"
)

// Single sign-on says who Ada is. Bob's attribute names a login that Ada's account has: that would be a guess.
func ExampleResolve() {
	r := link.Resolve(link.Input{
		Kind: "github", Complete: true, Now: now,
		Snapshots: []*directory.Snapshot{{Source: "corp", Users: map[directory.UserID]directory.User{
			"00u1": {ID: "00u1", Username: "ada@example.com", Status: directory.Active},
			"00u2": {ID: "00u2", Username: "bob@example.com", Status: directory.Active, Accounts: map[string]string{"github": "@Ada-L"}},
		}}},
		Accounts: []team.Account{{ID: "1024", Login: "ada-l", Identities: []team.Identity{{GUID: "8a2f", NameID: "ada@example.com"}}}},
	})
	ada, _ := r.LinkOf(link.UserRef{Source: "corp", ID: "00u1"})
	fmt.Println(ada.User, "is", ada.Login, "by", ada.Tier+":", ada.Evidence)
	bob := r.Held[link.UserRef{Source: "corp", ID: "00u2"}]
	fmt.Println(bob.User, "is", bob.Reason+":", bob.Message)
	// Output:
	// corp/00u1 is ada-l by saml: nameID ada@example.com = username
	// corp/00u2 is ambiguous: attribute names ada-l (1024), which is linked to corp/00u1 by saml; say whose account it is: musterline link add corp/00u2 HOST/NUMBER --reason TEXT
}
