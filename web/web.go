// Package web is the console, a page that asks Musterline's own API: its built files are part of the program. `make console` builds them
// with Node; without, the program says so where the console would be, and lacks nothing else.
package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Prefix is where the console lies.
const Prefix = "/console"

//go:embed all:dist
var built embed.FS

// policy lets the console load its own files, ask this server, and nothing else. The one style that stands within a page is that of
// Primer's live region, which has it in a shadow root; it is named by its hash.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-DTxLo/p0U68OvQ0C/ZBm32x0lyr7xl7Dd6LHwBsg7sc='; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Built reports whether the console is part of this program.
func Built() bool {
	_, err := fs.Stat(built, "dist/index.html")
	return err == nil
}

// Handler serves the console. Every path below Prefix that names no file is a page of it.
func Handler() http.Handler {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		panic("web: " + err.Error()) // the folder is embedded above
	}
	return &handler{files: files}
}

type handler struct {
	files  fs.FS
	packed sync.Map // of each file's gzip, made when it is first asked for
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "The console is only looked at.", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == Prefix { // the page's own addresses begin with a slash
		http.Redirect(w, r, Prefix+"/", http.StatusMovedPermanently)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), Prefix+"/")
	text, err := fs.ReadFile(h.files, name)
	switch {
	case err == nil && name != "index.html":
		header.Set("Cache-Control", "public, max-age=31536000, immutable") // a file's name has its hash
	case strings.HasPrefix(name, "assets/"): // of another version of the program
		header.Set("Cache-Control", "no-store")
		http.Error(w, "There is no such file (any more): reload the page.", http.StatusNotFound)
		return
	default:
		name = "index.html"
		header.Set("Cache-Control", "no-cache")
		if text, err = fs.ReadFile(h.files, name); err != nil {
			text = []byte(notBuilt)
		}
	}
	header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	header.Add("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		text = h.pack(name, text)
	}
	_, _ = w.Write(text) //nolint:gosec // a file of our own; the reader has gone
}

func (h *handler) pack(name string, text []byte) []byte {
	if known, ok := h.packed.Load(name); ok {
		return known.([]byte) //nolint:forcetypeassert // nothing else is kept there
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that there is
	_, _ = z.Write(text)                                  // to memory
	_ = z.Close()
	h.packed.Store(name, b.Bytes())
	return b.Bytes()
}

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Musterline</title>
<h1>The console is not part of this program</h1>
<p>It was built without Node. Build it with <code>make build</code> where Node 20 or newer is at hand. Everything else is there: the command
line and the server's API give the same answers.</p>
</html>
`
