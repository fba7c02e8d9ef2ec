package output

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// browser is a headless Chromium, spoken to through pipes, see
// https://chromedevtools.github.io/devtools-protocol/.
type browser struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	last    int
	session string
	loaded  bool     // since the last navigation
	events  []string // what the page must not do
}

type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

// startBrowser starts the program of TEST_CHROMIUM and opens an empty page.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	program := testenv.Required(t, "TEST_CHROMIUM")
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	c.ExtraFiles = []*os.File{in, out} // 3 and 4
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = in.Close(), out.Close()
	b := &browser{t: t, to: to, from: bufio.NewReaderSize(from, 1<<20)}
	stuck := time.AfterFunc(5*time.Minute, func() { _ = from.Close() }) // the read then fails
	t.Cleanup(func() {
		stuck.Stop()
		_ = to.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Logf("Chromium: %s", stderr.String())
		}
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// call sends a command and waits for its response. Events are recorded by the way.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.last++
	raw, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	if params == nil {
		raw = []byte("{}")
	}
	line, _ := json.Marshal(message{ID: b.last, SessionID: b.session, Method: method, Params: raw})
	if _, err := b.to.Write(append(line, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		m := b.next(method)
		if m.ID != b.last {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// next reads a message; waiting says for what.
func (b *browser) next(waiting string) (m message) {
	b.t.Helper()
	text, err := b.from.ReadBytes(0)
	if err == nil {
		err = json.Unmarshal(text[:len(text)-1], &m)
	}
	if err != nil {
		b.t.Fatalf("%s: %v", waiting, err)
	}
	switch m.Method {
	case "Page.javascriptDialogOpening", "Runtime.consoleAPICalled", "Runtime.exceptionThrown":
		b.events = append(b.events, m.Method+" "+string(m.Params))
	case "Page.loadEventFired":
		b.loaded = true
	case "Log.entryAdded": // such as something that the policy refused
		b.events = append(b.events, string(m.Params))
	case "Network.requestWillBeSent":
		if !strings.Contains(string(m.Params), `"url":"file://`) {
			b.events = append(b.events, "request "+string(m.Params))
		}
	}
	return m
}

// open shows a file.
func (b *browser) open(file string, width int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.loaded = false
	b.call("Page.navigate", map[string]any{"url": (&url.URL{Scheme: "file", Path: file}).String()}, nil)
	for !b.loaded {
		b.next("the page")
	}
}

// value evaluates an expression in the page.
func (b *browser) value(expression string, to any) {
	b.t.Helper()
	var result struct {
		Result struct{ Value json.RawMessage }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &result)
	if err := json.Unmarshal(result.Result.Value, to); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// contrast computes the lowest contrast of text and its background, as WCAG 2.2 defines it.
const contrast = `(() => {
	const rgb = c => c.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const background = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c).length === 3) return c; } return "rgb(255, 255, 255)"; };
	let worst = 99;
	for (const e of document.querySelectorAll("main *")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const [a, b] = [light(getComputedStyle(e).color), light(background(e))].sort((x, y) => y - x);
		worst = Math.min(worst, (a + 0.05) / (b + 0.05));
	}
	return worst;
})()`

// TestThePageInABrowser opens pages at two widths, light and dark: nothing is wider than the window, all text can be
// read, and hostile values run no script, send no request and do not even try.
func TestThePageInABrowser(t *testing.T) {
	b := startBrowser(t)
	dir := t.TempDir()
	hostileOne, hostileChanges := hostileOutcome()
	pages := map[string]string{
		"example": printed(t, Options{Form: HTML, Limit: 5000}, exampleOutcome(), exampleChanges[:len(exampleChanges)-1]),
		"hostile": printed(t, Options{Form: HTML, Limit: 5000}, hostileOne, hostileChanges),
	}
	for name, text := range pages {
		file := filepath.Join(dir, name+".html")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		backgrounds := map[string]bool{}
		for _, width := range []int{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				where := fmt.Sprintf("%s, %d, %s", name, width, scheme)
				b.open(file, width, scheme)
				var folded, wide int
				b.value(`(() => { const all = [...document.querySelectorAll("details")]; const n = all.filter(d => !d.open).length; all.forEach(d => d.open = true); return n; })()`, &folded)
				b.value("document.documentElement.scrollWidth", &wide)
				if wide > width || folded == 0 {
					t.Errorf("%s: %d pixels wide, %d folded", where, wide, folded)
				}
				var background string
				var worst float64
				b.value("getComputedStyle(document.body).backgroundColor", &background)
				b.value(contrast, &worst)
				if backgrounds[background] = true; worst < 4.5 || worst == 99 {
					t.Errorf("%s: a contrast of %.2f", where, worst)
				}
				b.picture(name, width, scheme)
			}
		}
		if len(backgrounds) != 2 {
			t.Errorf("%s: light and dark have the backgrounds %v", name, backgrounds)
		}
	}
	for _, e := range b.events {
		t.Error(e)
	}
}

// picture writes pictures for the documentation with -update.
func (b *browser) picture(name string, width int, scheme string) {
	if !golden.Updates() || name != "example" || width != 1280 || scheme != "light" {
		return
	}
	var height float64
	b.value("document.documentElement.scrollHeight", &height)
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 0.7}, "captureBeyondViewport": true}, &shot)
	raw, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("..", "..", "..", "docs", "images", "diff.png"), raw, 0o644); err != nil { //nolint:gosec // a picture
		b.t.Fatal(err)
	}
}
