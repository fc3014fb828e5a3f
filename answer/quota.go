package answer

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"musterline.example/target"
)

// A Quota is what remains of one ration of a credential, as the target has said last.
type Quota struct {
	Resource string    `json:"resource"` // the target's own word, such as core or graphql
	Left     int       `json:"left"`
	Limit    int       `json:"limit"`
	At       time.Time `json:"at"` // when it was said
}

// quotas remember what targets say of their rations. Houses of one server share them. They are safe for concurrent use.
type quotas struct {
	mu   sync.Mutex
	left map[[2]string]Quota // by target and resource
}

// of returns the rations of a target that were heard of, in order of resource.
func (q *quotas) of(name string) []Quota {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := []Quota{}
	for key, of := range q.left {
		if key[0] == name {
			all = append(all, of)
		}
	}
	slices.SortFunc(all, func(a, b Quota) int { return cmp.Compare(a.Resource, b.Resource) })
	return all
}

// A rationed meter remembers what a target says of its rations, and tells it on.
type rationed struct {
	to     target.Meter
	quotas *quotas
	name   string
	now    func() time.Time
}

// Called implements target.Meter.
func (r rationed) Called(ctx context.Context, resource string, status int, took time.Duration) {
	r.to.Called(ctx, resource, status, took)
}

// Spent implements target.Meter.
func (r rationed) Spent(ctx context.Context, resource string, points int) {
	r.to.Spent(ctx, resource, points)
}

// Left implements target.Meter.
func (r rationed) Left(resource string, remaining, limit int) {
	r.quotas.mu.Lock()
	if r.quotas.left == nil {
		r.quotas.left = make(map[[2]string]Quota)
	}
	r.quotas.left[[2]string{r.name, resource}] = Quota{Resource: resource, Left: remaining, Limit: limit, At: r.now()}
	r.quotas.mu.Unlock()
	r.to.Left(resource, remaining, limit)
}

// Waited implements target.Meter.
func (r rationed) Waited(d time.Duration) {
	r.to.Waited(d)
}
