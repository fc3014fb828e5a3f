package native_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"musterline.example/answer"
	"musterline.example/api/client"
	"musterline.example/internal/githubsim"
	"musterline.example/setting"
)

// What is carried out for somebody far away ends when they give up waiting for it, as it would beside them.
func TestAnActThatNobodyWaitsForAnyMoreIsCancelled(t *testing.T) {
	l := newLab(t)
	l.write("directory.yaml", strings.NewReplacer(
		"name: docs, members: [ada]", "name: docs, members: [ada, bob, cy]", "name: platform, members: [ada, bob]", "name: platform, members: [ada, bob, cy]",
	).Replace(people))
	l.post("/targets/octo/sync", `{"answered":true}`).want(422).says("say its digest")
	shown := as[answer.Plan](l.post("/targets/octo/plan", "").want(200))
	l.github.Inject(githubsim.Fault{Method: http.MethodPut, After: 1, Delay: 2 * time.Second}) // so that there is time to cancel within the second write
	c, err := client.New(client.Options{URL: l.server.URL, Token: setting.Secret(l.tokens["octo's owner"])})
	if err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	_, err = c.Sync(ctx, answer.SyncWish{Target: "octo", By: "ann", Digest: shown.Digest, Answered: true}, func(p answer.Progress) {
		if p.Write != nil {
			giveUp()
		}
	})
	if err == nil || !strings.Contains(err.Error(), "cancelled run 1") {
		t.Fatalf("%v", err)
	}
	l.follow("viewer", "/runs/1/events") // until it has ended
	l.get("/runs/1").want(200).says(`"state":"cancelled"`, "cancelled by ann, by token octo's owner")
	// The cancellation meets the second write in hand, or comes before it.
	if n := len(l.writes()); n > 2 || n < 1 {
		t.Errorf("there were %d writes: the first, and the one in hand", n)
	}
}
