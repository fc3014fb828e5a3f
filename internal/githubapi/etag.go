package githubapi

import (
	"bytes"
	"container/list"
	"encoding/gob"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"sync"

	"musterline.example/internal/httpx"
)

// A Cache keeps bytes by key for as long as it likes.
type Cache interface {
	Get(key string) ([]byte, bool)
	Put(key string, value []byte)
}

// A revalidator answers GETs from the cache when GitHub says that nothing has changed, and asks every time: a 304 does not count
// against the hourly limit (best practices, "Use conditional requests"), while max-age, which GitHub also sends, would hide a change
// for a minute. No credential is kept: the key is the address and the form asked for, in a cache that belongs to one credential.
type revalidator struct {
	base  http.RoundTripper
	cache Cache
}

// revalidated is a header of ours on answers that GitHub has confirmed with a 304, for who counts what calls cost.
const revalidated = "X-Musterline-Revalidated"

// An entry is an answer as it is kept.
type entry struct {
	ETag   string
	Header http.Header // of what says something about the body
	Body   []byte
}

// RoundTrip implements http.RoundTripper.
func (r revalidator) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.Header.Get("Range") != "" || req.Header.Get("If-None-Match") != "" {
		return r.base.RoundTrip(req)
	}
	key := req.Header.Get("Accept") + " " + req.URL.String()
	kept, known := r.load(key)
	if known {
		req = req.Clone(req.Context())
		req.Header.Set("If-None-Match", kept.ETag)
	}
	resp, err := r.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case known && resp.StatusCode == http.StatusNotModified:
		resp.StatusCode, resp.Status = http.StatusOK, "200 OK"
		maps.Copy(resp.Header, kept.Header)
		resp.Header.Set(revalidated, "1")
		httpx.SetBody(resp, kept.Body)
	case resp.StatusCode == http.StatusOK && resp.Header.Get("ETag") != "":
		// A body that a proxy has cut short must not be kept: GitHub would confirm its tag for ever.
		if body := httpx.Body(resp); json.Valid(body) {
			r.save(key, entry{resp.Header.Get("ETag"), keepable(resp.Header), body})
		}
	}
	return resp, nil
}

func keepable(h http.Header) http.Header {
	kept := http.Header{}
	for _, name := range []string{"Content-Type", "Link"} {
		if v := h.Values(name); v != nil {
			kept[name] = v
		}
	}
	return kept
}

func (r revalidator) load(key string) (e entry, ok bool) {
	data, ok := r.cache.Get(key)
	if !ok || gob.NewDecoder(bytes.NewReader(data)).Decode(&e) != nil {
		return entry{}, false
	}
	return e, true
}

func (r revalidator) save(key string, e entry) {
	var b bytes.Buffer
	if gob.NewEncoder(io.Writer(&b)).Encode(e) == nil {
		r.cache.Put(key, b.Bytes())
	}
}

// memoryCache forgets what was used longest ago.
type memoryCache struct {
	mu    sync.Mutex
	max   int
	size  int
	order *list.List // of kept, the latest first
	byKey map[string]*list.Element
}

type kept struct {
	key   string
	value []byte
}

// NewMemoryCache returns a cache that holds about so many bytes.
func NewMemoryCache(bytes int) Cache {
	return &memoryCache{max: bytes, order: list.New(), byKey: map[string]*list.Element{}}
}

func (m *memoryCache) Get(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byKey[key]
	if !ok {
		return nil, false
	}
	m.order.MoveToFront(e)
	k, ok := e.Value.(kept)
	return k.value, ok
}

func (m *memoryCache) Put(key string, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.byKey[key]; ok {
		m.drop(e)
	}
	m.byKey[key] = m.order.PushFront(kept{key, value})
	for m.size += len(key) + len(value); m.size > m.max && m.order.Len() > 0; {
		m.drop(m.order.Back())
	}
}

func (m *memoryCache) drop(e *list.Element) {
	if k, ok := m.order.Remove(e).(kept); ok {
		delete(m.byKey, k.key)
		m.size -= len(k.key) + len(k.value)
	}
}
