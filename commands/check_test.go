package commands

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// runCheck runs check with the environment, on a terminal of a width or without one, and returns its output without
// the paths of this machine.
func runCheck(t *testing.T, dir string, width int, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	s, out, errs := term.TestStreams(width, nil)
	environ = append(environ, "ELASTIC_INGEST_STATE_DIR="+filepath.Join(dir, "state"))
	env := config.Env{Environ: environ, Lookup: func(name string) (string, bool) {
		for _, pair := range environ {
			if k, v, _ := strings.Cut(pair, "="); k == name {
				return v, true
			}
		}
		return "", false
	}}
	a := &setup.App{Streams: s, Registry: testRegistry(), Env: env, Now: stopped, OwnTime: true, Limit: (&limit{}).begin}
	code = Run(t.Context(), t.Context(), a, append([]string{"check", "-c", filepath.Join(dir, "config.yml")}, args...))
	return code, strings.ReplaceAll(out.String(), dir, "DIR"), errs.String()
}

// TestShowConfig: every key that a file, a variable, the address or a flag sets, each with its origin, then the
// defaults; secrets are dots.
func TestShowConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, ".env"), "BUDGET=8MiB\nELASTIC_INGEST__SERVICE__IDLING=9\n")
	writeFile(t, filepath.Join(dir, "pw.txt"), "hunter2\n")
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch:
  host: http://reader:hunter2@127.0.0.1:1
  headers: {Authorization: "Bearer hunter2"}
sources: {custom: "exec:./prog --token hunter2"}
engine.budget: ${BUDGET}
connectors:
  - name: shop
    service_type: postgresql
    index_name: search-shop
    api_key: ${file:pw.txt}
    language: de
    rules: [{policy: exclude, field: v, rule: equals, value: "${UNSET:-x}"}]
    configuration: {host: db, port: 5432, username: etl, password: "${PG_PASSWORD}", database: shop, schema: public, tables: [a, b]}
  - name: carts
    service_type: mongodb
    index_name: search-carts
    configuration: {host: "mongodb://etl:hunter2/@2@db:27017/?tlsCertificateKeyFilePassword=hunter2", database: shop}
  - name: files
    service_type: postgresql
    index_name: search-files
    configuration: {host: db, password_file: pw.txt, unknown: hunter2}
`)
	environ := []string{"PG_PASSWORD=hunter2", "ELASTIC_INGEST__ENGINE__READERS=2"}
	code, out, errs := runCheck(t, dir, 0, environ, "--show-config", "-o", "json", "--log-level", "ERROR")
	if code != ExitOK || errs != "" {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if !strings.HasPrefix(out, `{"schema":1,"exit":0,"findings":[],"config":[`) {
		t.Errorf("not the contract: %s", out)
	}
	golden.Compare(t, filepath.Join("testdata", "check", "config.json"), strings.ReplaceAll(out, `},{"key"`, "},\n{\"key\""))
	for _, width := range []int{0, 40, 120} {
		_, text, _ := runCheck(t, dir, width, environ, "--show-config")
		if strings.Contains(out+text, "hunter2") {
			t.Errorf("it shows the secret:\n%s%s", out, text)
		}
		for line := range strings.Lines(text) {
			block := strings.HasPrefix(line, "  ") || width > 40 // a key is not broken
			if n := term.Columns(strings.TrimRight(line, "\n")); width > 0 && block && n > width {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
	}
}

// front is an Elasticsearch over HTTP that keeps its data in memory, with a user who has some privileges. Requests
// are recorded.
type front struct {
	*httptest.Server
	missing []string // privileges that the user does not have

	mu       sync.Mutex
	requests []string
}

func newFront(t *testing.T, missing ...string) *front {
	t.Helper()
	store, err := embedded.Open(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &front{missing: missing}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		if r.URL.Path == "/_security/user/_has_privileges" {
			f.privileges(t, w, r)
			return
		}
		r.RequestURI = ""
		res, err := store.Transport().RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		maps.Copy(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(func() {
		f.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *front) privileges(t *testing.T, w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Cluster []string
		Index   []struct{ Names, Privileges []string }
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		t.Error(err)
	}
	has := func(all []string) map[string]bool {
		out := map[string]bool{}
		for _, p := range all {
			out[p] = !slices.Contains(f.missing, p)
		}
		return out
	}
	answer := map[string]any{"username": "etl", "has_all_requested": len(f.missing) == 0, "cluster": has(asked.Cluster), "application": map[string]any{}}
	index := map[string]any{}
	for _, i := range asked.Index {
		for _, name := range i.Names {
			index[name] = has(i.Privileges)
		}
	}
	answer["index"] = index
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		t.Error(err)
	}
}

// configure writes a configuration of this destination, and the script of its source.
func (f *front) configure(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writeFile(t, filepath.Join(dir, "config.yml"), fmt.Sprintf(`
elasticsearch: {host: %q, api_key: "${KEY}"}
connectors:
  - {name: shop, service_type: scripted, index_name: search-shop, configuration: {script: script.json}}
`, f.URL))
	writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "orders", "documents": [{"id": "o1"}]}]}`)
	return dir
}

// TestCheckNamesMissingPrivileges: exactly those that are missing, what a sync does with them, and the role and the
// API key that grant them.
func TestCheckNamesMissingPrivileges(t *testing.T) {
	t.Parallel()
	f := newFront(t, "maintenance", "monitor")
	code, out, errs := runCheck(t, f.configure(t), 0, []string{"KEY=id:hunter2"}, "-q")
	want := `
shop (scripted -> search-shop)
error   user "etl" lacks monitor on the cluster, maintenance on "search-shop" (refreshes the index; without it deletes are held back)
        hint: grant this role to the user, or create another API key
        PUT /_security/role/elastic-ingest {"cluster":["monitor"],"indices":[{"names":["search-shop"],"privileges":["read","write","view_index_metadata","maintenance","manage"]}]}
        POST /_security/api_key {"name":"elastic-ingest","role_descriptors":{"elastic-ingest":{"cluster":["monitor"],"indices":[{"names":["search-shop"],"privileges":["read","write","view_index_metadata","maintenance","manage"]}]}}}
`
	if code != ExitAuth || out != want || errs != "" {
		t.Errorf("exit code %d\n%s\nwant\n%s\n%s", code, out, want, errs)
	}
	page, err := os.ReadFile("../docs/quickstart.md") // its key is for the same index
	if err != nil {
		t.Fatal(err)
	}
	body := regexp.MustCompile(`(?s)/_security/api_key .*? -d '(.+?)'`).FindSubmatch(page)
	var compact bytes.Buffer
	if len(body) < 2 || json.Compact(&compact, body[1]) != nil || !strings.Contains(want, "POST /_security/api_key "+compact.String()+"\n") {
		t.Errorf("docs/quickstart.md creates another API key: %s", &compact)
	}
	f = newFront(t)
	code, out, _ = runCheck(t, f.configure(t), 0, []string{"KEY=id:hunter2"})
	if code != ExitOK || !strings.Contains(out, "ok      user \"etl\" has all that a sync needs\n") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// TestCheckComparesTheClocks: here this machine's is that of a fixed day in 2030.
func TestCheckComparesTheClocks(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	dir := f.configure(t)
	s, out, _ := term.TestStreams(0, nil)
	env := config.Env{Lookup: func(name string) (string, bool) {
		return map[string]string{"KEY": "id:x", "ELASTIC_INGEST_STATE_DIR": dir}[name], name == "KEY" || name == "ELASTIC_INGEST_STATE_DIR"
	}}
	a := &setup.App{Streams: s, Registry: testRegistry(), Env: env, Now: stopped, Limit: (&limit{}).begin}
	code := Run(t.Context(), t.Context(), a, []string{"check", "-c", filepath.Join(dir, "config.yml")})
	if code != ExitOK || !regexp.MustCompile(`(?m)^warning Elasticsearch's clock is \d+h\d+m\d+s behind this machine's$`).Match(out.Bytes()) {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// TestCheckWithTwoKeys: each key is tried once, and what it finds stands with the connector that has it.
func TestCheckWithTwoKeys(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	dir := f.configure(t)
	writeFile(t, filepath.Join(dir, "config.yml"), fmt.Sprintf(`
elasticsearch: {host: %q}
connectors:
  - {name: a, service_type: scripted, index_name: search-a, configuration: {script: script.json}}
  - {name: b, service_type: scripted, index_name: search-b, api_key: "${KEY}", configuration: {script: script.json}}
  - {name: c, service_type: scripted, index_name: search-c, configuration: {script: script.json}}
`, f.URL))
	code, out, errs := runCheck(t, dir, 0, []string{"KEY=id:hunter2"}, "--all")
	var places []string // of the lines that matter
	for line := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(line, "ok      Elasticsearch "):
			places = append(places, "server")
		case strings.Contains(line, " (scripted -> "):
			places = append(places, line[:1])
		}
	}
	if want := []string{"server", "a", "b", "server", "c"}; code != ExitOK || !slices.Equal(places, want) {
		t.Errorf("exit code %d: %v, want %v\n%s%s", code, places, want, out, errs)
	}
}

// TestCheckOfAFolderInUse: another process has the embedded destination open, which is a note; the source is
// examined.
func TestCheckOfAFolderInUse(t *testing.T) {
	t.Parallel()
	dir := newFront(t).configure(t)
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch: {host: "embedded:./data"}
connectors:
  - {name: shop, service_type: scripted, index_name: search-shop, configuration: {script: script.json}}
`)
	store, err := embedded.Open(embedded.Options{Dir: filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := runCheck(t, dir, 0, nil)
	if code != ExitOK || !strings.Contains(out, ": the index was not checked\n") || !strings.Contains(out, "ok      1 table can be read\n") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// TestCheckWritesNothing: neither into the destination nor on this machine, for a missing index and an existing one.
func TestCheckWritesNothing(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	dir := f.configure(t)
	before := tree(t, dir)
	check := func(when string) {
		t.Helper()
		f.requests = nil
		if code, out, errs := runCheck(t, dir, 0, []string{"KEY=id:x"}); code != ExitOK {
			t.Errorf("%s: exit code %d\n%s%s", when, code, out, errs)
		}
		for _, r := range f.requests {
			method, path, _ := strings.Cut(r, " ")
			if method != http.MethodGet && path != "/_security/user/_has_privileges" && !strings.HasSuffix(path, "/_count") {
				t.Errorf("%s: it sent %s", when, r)
			}
		}
		if len(f.requests) < 4 {
			t.Errorf("%s: it sent only %v", when, f.requests)
		}
		if after := tree(t, dir); after != before {
			t.Errorf("%s: files before\n%s\nafter\n%s", when, before, after)
		}
	}
	check("before the first sync")
	s, _, errs := term.TestStreams(0, nil)
	env := config.Env{Environ: []string{"KEY=id:x", "ELASTIC_INGEST_STATE_DIR=" + filepath.Join(dir, "state")}}
	env.Lookup = func(name string) (string, bool) {
		return map[string]string{"KEY": "id:x", "ELASTIC_INGEST_STATE_DIR": filepath.Join(dir, "state")}[name], name == "KEY" || name == "ELASTIC_INGEST_STATE_DIR"
	}
	a := &setup.App{Streams: s, Registry: testRegistry(), Env: env, Now: stopped, OwnTime: true, Limit: (&limit{}).begin}
	if code := Run(t.Context(), t.Context(), a, []string{"sync", "-c", filepath.Join(dir, "config.yml")}); code != ExitOK {
		t.Fatalf("sync: exit code %d\n%s", code, errs)
	}
	before = tree(t, dir)
	check("after a sync")
}

// tree lists every file below a folder, with its size and the time of its last change.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestCheckReportsALockWithoutTakingIt: a run under way is a note, and the run is not disturbed.
func TestCheckReportsALockWithoutTakingIt(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	dir := f.configure(t)
	unlock, err := stateOf(dir).Lock(f.URL, "search-shop", stopped())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	code, out, errs := runCheck(t, dir, 0, []string{"KEY=id:x"})
	held := stateOf(dir).Holder(f.URL, "search-shop")
	want := fmt.Sprintf("note    a run holds the lock of index \"search-shop\": process %d\n", os.Getpid())
	if code != ExitOK || strings.Contains(out, want) != held.Known {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// TestCheckFitsANarrowTerminal: messages are broken at 40 columns; what one copies is not.
func TestCheckFitsANarrowTerminal(t *testing.T) {
	t.Parallel()
	f := newFront(t, "write")
	_, out, _ := runCheck(t, f.configure(t), 40, []string{"KEY=id:x"}, "--color", "never")
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if path := strings.Contains(line, "DIR") || strings.Contains(line, "http://"); !path && !strings.HasPrefix(line, "        hint:") && !strings.Contains(line, " /_security/") && term.Columns(line) > 40 {
			t.Errorf("%d columns: %s", term.Columns(line), line)
		}
	}
	if !strings.Contains(out, "error   user \"etl\" lacks write on\n        \"search-shop\" (writes documents)\n") {
		t.Error(out)
	}
	_, out, _ = runCheck(t, f.configure(t), 40, []string{"KEY=id:x"})
	if !bytes.ContainsRune([]byte(out), '\x1b') {
		t.Errorf("no color on a terminal:\n%s", out)
	}
}

func stateOf(dir string) state.Dir { return state.Dir(filepath.Join(dir, "state")) }

// TestCheckPage: docs/check.md names every check and exit code of the code, and shows the JSON of the contract.
func TestCheckPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "check.md"))
	if err != nil {
		t.Fatal(err)
	}
	var coded, documented []string
	for _, file := range []string{filepath.Join("internal", "doctor", "doctor.go"), filepath.Join("..", "engine", "examine.go")} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\t[cC]heck[A-Z]\w* += "(\w+)"$`).FindAllSubmatch(code, -1) {
			coded = append(coded, string(m[1]))
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ").FindAllSubmatch(page, -1) {
		if name := string(m[1]); !slices.Contains([]string{"ok", "note", "warning", "error"}, name) {
			documented = append(documented, name)
		}
	}
	slices.Sort(coded)
	slices.Sort(documented)
	if d := cmp.Diff(coded, documented); d != "" || len(coded) < 10 {
		t.Errorf("the checks of the code and of the page (-code +page):\n%s", d)
	}
	for _, row := range exitRows("check") {
		if code := row[0]; code != "0" && len(code) == 1 && !strings.Contains(string(page), "\n| "+code+" | ") {
			t.Errorf("the page has no exit code %s", code)
		}
	}
	example := regexp.MustCompile(`(?m)^\{"schema".*$`).Find(page)
	decoder := json.NewDecoder(bytes.NewReader(example))
	decoder.DisallowUnknownFields()
	var contract struct {
		Schema, Exit int
		Findings     []struct{ Connector, Check, Status, Message, Hint string }
	}
	if err := decoder.Decode(&contract); err != nil || len(contract.Findings) != 2 {
		t.Errorf("%+v, %v", contract, err)
	}
}
