package config

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const page = "../../docs/CONFIG.md"

// A documented key is a row of a table of the page.
type documented struct{ key, byDefault string } // byDefault is as in the file, or empty

var quoted = regexp.MustCompile("`([^`]+)`")

// documentedKeys reads the tables whose first column is "key". A heading with a
// section's name in it says where their keys are; under other headings, and for
// keys of the top level, the name is the whole key. A default in quotes is one
// that the file could have.
func documentedKeys(t *testing.T) []documented {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []documented
	var columns []string
	prefix := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		switch {
		case strings.HasPrefix(line, "#"):
			prefix = ""
			if name := quoted.FindStringSubmatch(line); name != nil {
				prefix = name[1] + "."
			}
		case !strings.HasPrefix(line, "|"):
			columns = nil
		case columns == nil:
			columns = cells
		case strings.TrimSpace(columns[0]) == "key" && !strings.HasPrefix(line, "|--"):
			if len(cells) != len(columns) {
				t.Errorf("a row has %d cells, its table %d: %s", len(cells), len(columns), line)
				continue
			}
			byDefault := ""
			if at := slices.Index(columns, " default "); at >= 0 {
				if value := quoted.FindStringSubmatch(cells[at]); value != nil {
					byDefault = value[1]
				}
			}
			for _, name := range quoted.FindAllStringSubmatch(cells[0], -1) {
				out = append(out, documented{prefix + name[1], byDefault})
			}
		}
	}
	return out
}

// TestExamplesOfThePageLoad loads every example of the page; one that is not a
// whole file is a part of a connector.
func TestExamplesOfThePageLoad(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```(yaml|toml)\n(.*?)```").FindAllStringSubmatch(string(data), -1)
	if len(examples) < 7 {
		t.Fatalf("the page has %d examples", len(examples))
	}
	for _, example := range examples {
		content := example[2]
		if !strings.Contains(content, "elasticsearch") {
			content = withHost("connectors:\n  - connector_id: a\n    " + strings.ReplaceAll(content, "\n", "\n    "))
		}
		dir := write(t, map[string]string{"es": "k", "shop": "p"})
		file := filepath.Join(dir, "config."+strings.Replace(example[1], "yaml", "yml", 1))
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(content, "/run/secrets/", "")), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(t.Context(), file, Env{Environ: []string{"ES_API_KEY=k", "SHOP_PASSWORD=p"}})
		if err != nil {
			t.Errorf("%v\nin %s", err, content)
		} else if len(c.Warnings) != 0 {
			t.Errorf("warnings %q in %s", c.Warnings, content)
		}
	}
}

// knownKeys asks the loader which keys it knows, section by section: it answers
// a key that it cannot know with a list of those that it does. A key is tried
// as a section and as a list of sections to see whether it holds keys itself.
func knownKeys(t *testing.T, section string) []string {
	t.Helper()
	const unknown = "@@@@"
	var value any = map[string]any{unknown: 1}
	for _, name := range slices.Backward(strings.Split(section, ".")) {
		if one, list := strings.CutSuffix(name, "[]"); list {
			value = map[string]any{one: []any{value}}
		} else if name != "" {
			value = map[string]any{name: value}
		}
	}
	data, err := json.Marshal(value) // which is YAML
	if err != nil {
		t.Fatal(err)
	}
	root, bad := parse("config.yml", data)
	if bad != nil {
		t.Fatal(bad)
	}
	l := &loader{origin: &origin{file: "config.yml", dir: t.TempDir()}, config: defaults(), run: noCommand}
	l.root(l.object("", root))
	key := strings.TrimPrefix(section+"."+unknown, ".")
	var out []string
	for _, e := range l.errs {
		if names, ok := strings.CutPrefix(e.Hint, "known here: "); ok && strings.ReplaceAll(e.Key, "[0]", "[]") == key {
			for name := range strings.SplitSeq(names, ", ") {
				name = strings.TrimPrefix(section+"."+name, ".")
				out = append(out, name)
				out = append(out, knownKeys(t, name)...)
				out = append(out, knownKeys(t, name+"[]")...)
			}
		}
	}
	return out
}

// TestEveryKeyIsDocumented says that the page names the keys that the loader
// knows, each of them once, and no others.
func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	known := knownKeys(t, "")
	if len(known) < 100 {
		t.Fatalf("the loader knows only %d keys: %q", len(known), known)
	}
	var got []string
	for _, d := range documentedKeys(t) {
		got = append(got, d.key)
	}
	slices.Sort(known)
	slices.Sort(got)
	if diff := cmp.Diff(known, got); diff != "" {
		t.Errorf("the loader's keys (-) and the page's (+):\n%s", diff)
	}
}

// TestDocumentedDefaults says that the page has a default for each key that has
// one, and that a file in which all of them are written means what a file
// without them does.
func TestDocumentedDefaults(t *testing.T) {
	t.Parallel()
	const connector = "connectors:\n  - {name: a, service_type: dir, index_name: a"
	plain := mustLoad(t, withHost(connector+"}"))
	defaults := map[string]string{}
	for _, o := range plain.Origins {
		if o.From == "default" && o.Value != "" {
			defaults[strings.ReplaceAll(o.Key, "[0]", "[]")] = o.Value
		}
	}
	got := map[string]string{}
	var top, inside strings.Builder
	for _, d := range documentedKeys(t) {
		if d.byDefault == "" {
			continue
		}
		got[d.key] = d.byDefault
		if key, ok := strings.CutPrefix(d.key, "connectors[]."); ok {
			inside.WriteString(", " + key + ": " + d.byDefault)
		} else {
			top.WriteString(d.key + ": " + d.byDefault + "\n")
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(defaults)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("the keys that have a default (-) and those that the page gives one (+):\n%s", diff)
	}
	written := mustLoad(t, withHost(top.String()+connector+inside.String()+"}"))
	ignore := []cmp.Option{
		cmpopts.IgnoreUnexported(Connector{}), cmpopts.IgnoreFields(Connector{}, "Line"), cmpopts.IgnoreFields(Config{}, "File", "Dir", "Origins"),
	}
	if diff := cmp.Diff(plain, written, ignore...); diff != "" {
		t.Errorf("the defaults (-) and what the page says (+):\n%s", diff)
	}
}

// TestDescribeFindsEveryKey compares the keys that Describe records with those that the loader lists in errors.
func TestDescribeFindsEveryKey(t *testing.T) {
	t.Parallel()
	var got []string
	var walk func(k *Key, path string)
	walk = func(k *Key, path string) {
		for _, below := range k.Keys {
			got = append(got, path+below.Name)
			suffix := "."
			if below.Kind == Sections {
				suffix = "[]."
			}
			walk(below, path+below.Name+suffix)
		}
	}
	walk(Describe(), "")
	known := knownKeys(t, "")
	slices.Sort(known)
	slices.Sort(got)
	if diff := cmp.Diff(known, got); diff != "" {
		t.Errorf("the loader's keys (-) and those described (+):\n%s", diff)
	}
}
