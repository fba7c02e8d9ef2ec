package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFind changes the working folder, so it does not run in parallel.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	home := filepath.Join(dir, "home")
	inXDG := filepath.Join(dir, "xdg", "elastic-ingest", "config.yml")
	inHome := filepath.Join(home, ".config", "elastic-ingest", "config.yml")
	env := map[string]string{}
	get := func(name string) string { return env[name] }
	put := func(file string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(flag, want string) {
		t.Helper()
		if got, err := Find(flag, get); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if got, err := Find("", get); err == nil && got != filepath.FromSlash("/etc/elastic-ingest/config.yml") {
		t.Errorf("without a file and a home: got %q", got)
	} else if err != nil && !strings.Contains(err.Error(), "looked for config.yml, "+filepath.FromSlash("/etc/elastic-ingest/config.yml")) {
		t.Errorf("got %v", err)
	}
	check("other.yml", "other.yml")
	env["HOME"] = home
	put(inHome)
	check("", inHome)
	env["XDG_CONFIG_HOME"] = filepath.Join(dir, "xdg")
	put(inXDG)
	check("", inXDG)
	if err := os.Mkdir("config.yml", 0o700); err != nil {
		t.Fatal(err)
	}
	check("", inXDG) // a folder of that name is no file
	if err := os.Remove("config.yml"); err != nil {
		t.Fatal(err)
	}
	put("config.yml")
	check("", "config.yml")
	check("other.yml", "other.yml")
}

func TestStateDir(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the paths are Unix paths")
	}
	c := &Config{Dir: "/etc/mirror"}
	for want, env := range map[string]map[string]string{
		"/var/state":                           {"ELASTIC_INGEST_STATE_DIR": "/var/state", "HOME": "/home/me"},
		"/etc/mirror/state":                    {"ELASTIC_INGEST_STATE_DIR": "state"},
		"/xdg/elastic-ingest":                  {"XDG_STATE_HOME": "/xdg", "HOME": "/home/me"},
		"/home/me/.local/state/elastic-ingest": {"XDG_STATE_HOME": "not-absolute", "HOME": "/home/me"},
		"/etc/mirror/.elastic-ingest":          {},
	} {
		if got := StateDir(c, func(name string) string { return env[name] }); got != want {
			t.Errorf("%v: got %q, want %q", env, got, want)
		}
	}
}

func TestSourceCommand(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the paths are Unix paths")
	}
	c := mustLoad(t, withHost("sources: {a: 'exec:/opt/prog --flag \"a b\"', b: 'exec:./prog', c: 'exec:prog', d: 'builtin:mysql'}"))
	for name, want := range map[string][]string{
		"a": {"/opt/prog", "--flag", "a b"}, "b": {filepath.Join(c.Dir, "prog")}, "c": {"prog"}, "d": nil, "e": nil,
	} {
		got, ok := c.SourceCommand(name)
		if diff := cmp.Diff(want, got); diff != "" || ok != (want != nil) {
			t.Errorf("%s: %v (-want +got):\n%s", name, ok, diff)
		}
	}
}

// TestNamesReadsNamesAlone: no secret is fetched and nothing is substituted; names that no command accepts, and
// files that cannot be read, yield nothing.
func TestNamesReadsNamesAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]Name{
		"connectors: [{name: a, service_type: dir}, {connector_id: b}, {connector_id: c, name: d}]":  {{"a", "dir"}, {"b", ""}, {"d", ""}},
		"elasticsearch: {password_command: [false], host: '${X}'}\nconnectors: [{name: a}]":          {{"a", ""}},
		"connectors: [{name: '${X}'}, {name: -a}, {name: 5}, {name: \"a\\nb\"}, {name: [a]}, {}, 7]": {{"5", ""}},
		"connectors: {name: a}": nil,
		"connectors: [":         nil,
		"":                      nil,
	} {
		dir := write(t, map[string]string{"c.yml": text})
		if diff := cmp.Diff(want, Names(filepath.Join(dir, "c.yml"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	if got := Names(t.TempDir()); got != nil {
		t.Errorf("a folder has the names %v", got)
	}
}
