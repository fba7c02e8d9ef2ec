package config

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestHostileFiles says that no file makes the program crash, take long or take
// much memory. It measures memory, so it does not run in parallel.
func TestHostileFiles(t *testing.T) {
	random := make([]byte, 1<<20)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(random)
	printable := make([]byte, 1<<20)
	const letters = " \n\t:-[]{}&*!?|>'\"%#,abc019="
	for i, c := range random {
		printable[i] = letters[int(c)%len(letters)]
	}
	var bomb, merges strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	merges.WriteString("a0: &a0 {x: 1, y: 2}\n")
	for i := range 30 {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
		fmt.Fprintf(&merges, "a%d: &a%d {k%d: *a%d, <<: [%s]}\n", i+1, i+1, i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	var keys, tables, columns strings.Builder
	for i := range 4_000 {
		fmt.Fprintf(&keys, "k%d: v\n", i)
		fmt.Fprintf(&tables, "k%d = 1\n", i)
		fmt.Fprintf(&columns, "%sk%d:\n", strings.Repeat(" ", i%1000), i)
	}
	files := map[string]string{
		"random.yml": string(random), "random.toml": string(random), "printable.yml": string(printable), "printable.toml": string(printable),
		"bomb.yml": bomb.String(), "merges.yml": merges.String(), "cycle.yml": "a: &a [*a, *a]", "cycle2.yml": "a: &a {<<: *a}",
		"brackets.yml": strings.Repeat("[", 1<<20), "braces.yml": strings.Repeat("{a: ", 1<<18), "dashes.yml": strings.Repeat("- ", 1<<20),
		"questions.yml": strings.Repeat("? ", 1<<20), "tags.yml": strings.Repeat("!a ", 1<<17), "anchors.yml": strings.Repeat("&a ", 1<<17),
		"colons.yml": strings.Repeat(":", 1<<20), "commas.yml": "a: [" + strings.Repeat(",", 1<<20), "keys.yml": keys.String(), "deep.yml": columns.String(),
		"quotes.yml": strings.Repeat("\"", 1<<18), "pipes.yml": strings.Repeat("|\n", 1<<16), "documents.yml": strings.Repeat("---\n", 1<<16),
		"brackets.toml": "a = " + strings.Repeat("[", 1<<20), "braces.toml": "a = " + strings.Repeat("{a=", 1<<18), "dots.toml": strings.Repeat("a.", 1<<19) + "a = 1",
		"header.toml": "[" + strings.Repeat("a.", 1<<19) + "a]", "tables.toml": tables.String(), "arrays.toml": strings.Repeat("[[a]]\n", 30_000),
		"quotes.toml": "a = " + strings.Repeat("\"", 1<<20), "backslash.toml": "a = \"" + strings.Repeat("\\", 1<<20), "nested.toml": strings.Repeat("[[a.a.a.a.a.a]]\n", 30_000),
		"dollars.yml": withHost("service.log_level: \"" + strings.Repeat("${A:-", 1<<17) + "\""), "zero.yml": "\x00\x00\x00",
	}
	dir := write(t, files)
	for name := range files {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := Load(t.Context(), filepath.Join(dir, name), Env{})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		t.Logf("%s: %v, %d MiB allocated", name, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if len(err.Error()) > 64<<10 {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
		if took > 2*time.Minute { // generous: it is for a machine that does other things as well
			t.Errorf("%s: took %s", name, took)
		}
		if grown := after.Sys - before.Sys; after.Sys > before.Sys && grown > 512<<20 {
			t.Errorf("%s: took %d MiB from the system", name, grown>>20)
		}
	}
}

func FuzzLoadYAML(f *testing.F) { fuzz(f, "config.yml") }

func FuzzLoadTOML(f *testing.F) { fuzz(f, "config.toml") }

// fuzz says that any bytes give a configuration or an error without the secret
// of the environment, and that a configuration names an absolute folder.
func fuzz(f *testing.F, name string) {
	for _, pattern := range []string{"testdata/*.yml", "testdata/*.toml", "testdata/errors/*", "../../config.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte(full))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		// Reading and checking without files: the fuzzer must not run commands.
		l := &loader{origin: &origin{file: name, dir: dir}, config: defaults(), run: noCommand}
		l.env = Env{Environ: []string{"V=" + canary}}
		root, bad := parse(name, data)
		if bad != nil {
			if bad.problem == "" || bytes.Contains([]byte(bad.problem), []byte(canary)) {
				t.Errorf("got %+v", bad)
			}
			return
		}
		if root.kind != section {
			return
		}
		l.root(l.object("", root))
		for _, e := range l.errs {
			file := strings.HasPrefix(e.Problem, "names "+dir) // whose name is no secret, nor is that of a connector
			if e.Key == "" || e.Problem == "" || !file && strings.Contains(e.Problem+e.Hint, canary) {
				t.Errorf("got %+v", e)
			}
		}
		if len(l.errs) == 0 && l.config.Elasticsearch.Host == "" && l.config.Elasticsearch.CloudID == "" {
			t.Error("loaded without a destination")
		}
	})
}

// FuzzOverridingFile says that any bytes in the file that overrides the
// configuration give errors of that file alone, without the secret of the
// environment.
func FuzzOverridingFile(f *testing.F) {
	for _, seed := range []string{
		"elasticsearch.host: http://b\nelasticsearch.username: u\nelasticsearch.password: ${V}\nlog_level: warn",
		"elasticsearch: {host: 'http://${V}', headers: {A: b}}\nelasticsearch.headers.C: d",
		"elasticsearch: &a {host: x, <<: *a}", "elasticsearch: [x]\nlog_level: {a: b}", "elasticsearch.host: ''", "log_level: loud\nelasticsearch.headers: {'a b': [c]}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const second = "second.yml"
		l := &loader{origin: &origin{file: "config.yml", dir: "."}, config: defaults(), run: noCommand}
		l.env = Env{Environ: []string{"V=" + canary}}
		root, bad := parseFile("config.yml", "config.yml", []byte(withHost("")))
		if bad != nil {
			t.Fatal(bad)
		}
		overriding, bad := parseFile(second, second, data)
		if bad != nil {
			return
		}
		overriding.mark(second)
		root.entries = append(root.entries, l.overriding(l.object("", overriding))...)
		l.root(l.object("", root))
		for _, e := range l.errs {
			if e.File != second || e.Problem == "" || strings.Contains(e.Error(), canary) {
				t.Errorf("got %+v", e)
			}
		}
	})
}
