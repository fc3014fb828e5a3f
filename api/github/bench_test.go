package github_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"musterline.example/api/access"
	"musterline.example/directory"
	"musterline.example/internal/pgtest"
	"musterline.example/mapping"
)

// The figures of the API: what one request takes, and how long the slowest of a hundred takes when a thousand come each second. The bare
// handler answers the same bytes without doing anything for them.

const (
	benchGroups = 100_000
	benchTeams  = 200
)

// onBoth runs a benchmark on both databases, with many groups and many mapped teams.
func onBoth(b *testing.B, run func(b *testing.B, l *lab)) {
	for name, url := range map[string]func(b *testing.B) string{
		"SQLite":     func(b *testing.B) string { return "sqlite:" + filepath.Join(b.TempDir(), "a.db") },
		"PostgreSQL": func(b *testing.B) string { return pgtest.URL(b) },
	} {
		b.Run(name, func(b *testing.B) {
			l := newLabOn(b, url(b), func(l *lab) { l.hasty, l.limit = true, 1<<40 })
			groups := make([]directory.Group, benchGroups)
			for i := range groups {
				groups[i] = directory.Group{ID: directory.GroupID(fmt.Sprintf("g%06d", i)), Name: fmt.Sprintf("%c%c%05d", 'a'+i%26, 'A'+i/26%26, i), Description: "one of many"}
			}
			l.read("corp", groups...)
			for i := range benchTeams {
				t := l.acme.AddTeam(fmt.Sprintf("Team %d", i))
				var wanted []mapping.Mapping
				for j := range 5 {
					g := groups[(i*5+j)%benchGroups]
					wanted = append(wanted, mapping.Mapping{
						Team: t.Slug(), Source: "corp", Group: g.Name, GroupID: g.ID, Echo: mapping.Echo{Name: g.Name, Description: g.Description, MappedAt: 1},
					})
				}
				if _, err := l.store.MapTeam(context.Background(), "octo", l.id(t.Slug()), wanted, mapping.Disconnect{By: "bench"}); err != nil {
					b.Fatal(err)
				}
			}
			run(b, l)
		})
	}
}

// hammer sends b.N requests as fast as they are answered.
func hammer(b *testing.B, h http.Handler, token string, path func(i int) string) {
	b.Helper()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := httptest.NewRequest(http.MethodGet, path(i), nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// steady sends b.N requests over the network, a thousand each second, and reports the time of the slowest of a hundred.
func steady(b *testing.B, url, token string, path func(i int) string) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, b.N)
	var all sync.WaitGroup
	begun := time.Now()
	for i := range b.N {
		due := begun.Add(time.Duration(i) * time.Millisecond)
		time.Sleep(time.Until(due))
		all.Go(func() {
			r, err := http.NewRequest(http.MethodGet, url+path(i), nil)
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("Authorization", "Bearer "+token)
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Error(resp.Status)
			}
			took[i] = time.Since(due)
		})
	}
	all.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
}

func prefix(i int) string { return fmt.Sprintf("%s?q=%c%c", list, 'a'+i%26, 'a'+i/26%26) }

func ofTeam(i int) string {
	return fmt.Sprintf("/orgs/acme/teams/team-%d/team-sync/group-mappings", i%benchTeams)
}

func BenchmarkListGroups(b *testing.B) {
	onBoth(b, func(b *testing.B, l *lab) { hammer(b, l.web.Config.Handler, l.token(access.Viewer, "octo"), prefix) })
}

func BenchmarkReadMapping(b *testing.B) {
	onBoth(b, func(b *testing.B, l *lab) {
		for i := range benchTeams { // who asks is asked about once a minute
			l.get(ofTeam(i), ann).want(b, http.StatusOK)
		}
		hammer(b, l.web.Config.Handler, ann, ofTeam)
	})
}

func BenchmarkListGroupsAtAThousandASecond(b *testing.B) {
	onBoth(b, func(b *testing.B, l *lab) {
		token := l.token(access.Viewer, "octo")
		l.get(list, token).want(b, http.StatusOK)
		b.ResetTimer()
		steady(b, l.web.URL, token, prefix)
	})
}

func BenchmarkReadMappingAtAThousandASecond(b *testing.B) {
	onBoth(b, func(b *testing.B, l *lab) {
		for i := range benchTeams {
			l.get(ofTeam(i), ann).want(b, http.StatusOK)
		}
		b.ResetTimer()
		steady(b, l.web.URL, ann, ofTeam)
	})
}

// bare answers what a page of groups looks like, and does nothing for it.
func bare() http.Handler {
	var body struct {
		Groups []map[string]string `json:"groups"`
	}
	for i := range 30 {
		body.Groups = append(body.Groups, map[string]string{"group_id": fmt.Sprint("corp:g", i), "group_name": "a group", "group_description": "one of many"})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	})
}

func BenchmarkBareHandler(b *testing.B) { hammer(b, bare(), "none", prefix) }

func BenchmarkBareHandlerAtAThousandASecond(b *testing.B) {
	web := httptest.NewServer(bare())
	defer web.Close()
	steady(b, web.URL, "none", prefix)
}
