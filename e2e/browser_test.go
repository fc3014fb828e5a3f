package e2e

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "folder for pictures of pages")

var chromium struct {
	sync.Once

	ctx    context.Context //nolint:containedctx // of the one browser, which all tests share
	cancel func()
	err    error
}

// browser returns the browser, which is started by who first needs it. Without one the test is skipped, or fails when CI is true.
func browser(t *testing.T) context.Context {
	t.Helper()
	chromium.Do(func() {
		var path string
		for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
			if path, chromium.err = exec.LookPath(name); chromium.err == nil {
				break
			}
		}
		if chromium.err != nil {
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU)
		if os.Geteuid() == 0 {
			options = append(options, chromedp.NoSandbox)
		}
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, end := chromedp.NewContext(allocator)
		chromium.ctx, chromium.cancel = ctx, func() { end(); stop() } //nolint:fatcontext // once
		chromium.err = chromedp.Do(ctx)
	})
	if chromium.err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("a browser is needed: %v", chromium.err)
		}
		t.Skipf("a browser is needed: %v", chromium.err)
	}
	return chromium.ctx
}
