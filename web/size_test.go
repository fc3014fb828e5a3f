package web

import (
	"encoding/json"
	"io/fs"
	"os"
	"regexp"
	"testing"
)

// most is how many bytes of script a browser that knows nothing yet may be sent before a page of the console is there, packed as the handler
// packs them: script is what it has to read and run before anything shows.
const most = 300_000

// A chunk is an entry of Vite's manifest, by the name of its source (https://vite.dev/guide/backend-integration).
type chunk struct {
	File           string
	Imports        []string // what is loaded with it, by key
	IsDynamicEntry bool     // it is loaded when its page is opened
}

var loaded = regexp.MustCompile(`(?:src|href)="/console/(assets/[^"]+\.js)"`)

func TestEachPageIsSmallEnoughToBeThereSoon(t *testing.T) {
	index, err := fs.ReadFile(built, "dist/index.html")
	var packed []byte
	if err == nil {
		packed, err = fs.ReadFile(built, "dist/.vite/manifest.json")
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the console is not built: make console")
	}
	var chunks map[string]chunk
	if err := json.Unmarshal(packed, &chunks); err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{}
	h := &handler{}
	size := func(file string) int {
		if _, known := sizes[file]; !known {
			text, err := fs.ReadFile(built, "dist/"+file)
			if err != nil {
				t.Fatal(err)
			}
			sizes[file] = len(h.pack(file, text))
		}
		return sizes[file]
	}

	first := map[string]bool{} // what every page loads
	for _, m := range loaded.FindAllSubmatch(index, -1) {
		first[string(m[1])] = true
	}
	if len(first) < 3 {
		t.Fatalf("index.html loads %d scripts: what does it look like now?", len(first))
	}
	var add func(files map[string]bool, key string)
	add = func(files map[string]bool, key string) {
		c := chunks[key]
		if files[c.File] {
			return
		}
		files[c.File] = true
		for _, next := range c.Imports {
			add(files, next)
		}
	}
	pages, largest, name := 0, 0, ""
	for key, c := range chunks {
		if !c.IsDynamicEntry {
			continue
		}
		pages++
		files := map[string]bool{}
		for file := range first {
			files[file] = true
		}
		add(files, key)
		sum := 0
		for file := range files {
			sum += size(file)
		}
		if sum > most {
			t.Errorf("%s takes %d bytes of script, more than %d", key, sum, most)
		}
		if sum > largest {
			largest, name = sum, key
		}
	}
	if pages < 10 {
		t.Errorf("there are %d pages: does routes.tsx still load each when it is opened?", pages)
	}
	t.Logf("the largest of %d pages is %s with %d bytes, of %d", pages, name, largest, most)
}
