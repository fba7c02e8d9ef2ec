package schema

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources"
)

const repository = "../../.."

// compiled is a schema that values can be compared with. Its own form is checked, too.
func compiled(t *testing.T, s object) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", unmarshaled(t, Text(s))); err != nil {
		t.Fatal(err)
	}
	out, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unmarshaled(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\nin %s", err, text)
	}
	return v
}

// likeJSON is a value as JSON has it, which is what a schema describes.
func likeJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return unmarshaled(t, string(text))
}

// TestTheSchemaInDocsIsCurrent: the copy for editors, which config.yml names, is what the command prints.
func TestTheSchemaInDocsIsCurrent(t *testing.T) {
	t.Parallel()
	file := filepath.Join(repository, "docs", "config.schema.json")
	got := Text(File(sources.Builtin.Types()))
	golden.Compare(t, file, got)
	configuration, err := os.ReadFile(filepath.Join(repository, "config.yml"))
	if err != nil || !strings.HasPrefix(string(configuration), "# yaml-language-server: $schema=docs/config.schema.json\n") {
		t.Errorf("config.yml does not begin with the comment that names the schema (%v)", err)
	}
}

// TestEveryKeyHasAMeaning: each key of the file and each field of a source is described.
func TestEveryKeyHasAMeaning(t *testing.T) {
	t.Parallel()
	described := 0
	var walk func(s object, path string)
	walk = func(s object, path string) {
		if items, ok := s["items"].(object); ok {
			walk(items, path)
		}
		properties, _ := s["properties"].(object)
		for name, below := range properties {
			described++
			if below.(object)["description"] == nil {
				t.Errorf("%s%s has no description", path, name)
			}
			walk(below.(object), path+name+".")
		}
	}
	file := File(sources.Builtin.Types())
	walk(file, "")
	for name, definition := range file["definitions"].(object) {
		walk(definition.(object), name+": ")
	}
	if described < 250 {
		t.Errorf("only %d keys were found", described)
	}
}

// TestExamplesMatchTheSchema: config.yml and every example of the documentation that is a configuration file, or a
// part of a connector.
func TestExamplesMatchTheSchema(t *testing.T) {
	t.Parallel()
	schema := compiled(t, File(sources.Builtin.Types()))
	found := 0
	check := func(where, form, text string) {
		var value map[string]any
		var err error
		if form == "toml" {
			err = toml.Unmarshal([]byte(text), &value)
		} else {
			err = yaml.Unmarshal([]byte(text), &value)
		}
		if err != nil || value == nil {
			t.Errorf("%s: %v\n%s", where, err, text)
			return
		}
		found++
		if err := schema.Validate(likeJSON(t, value)); err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
	}
	read := func(file string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	check("config.yml", "yaml", read(filepath.Join(repository, "config.yml")))
	pages, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(repository, "docs", "sources", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`(?m)^(elasticsearch|connectors)\b`)
	for _, page := range append(append(pages, more...), filepath.Join(repository, "README.md")) {
		for _, example := range regexp.MustCompile("(?s)```(yaml|toml)\n(.*?)```").FindAllStringSubmatch(read(page), -1) {
			text := example[2]
			switch {
			case !whole.MatchString(text) && regexp.MustCompile(`(?m)^(rules|schedule|advanced_rules|id_columns|guard|configuration):`).MatchString(text):
				text = "connectors:\n  - connector_id: a\n    " + strings.ReplaceAll(text, "\n", "\n    ")
			case !whole.MatchString(text):
				continue // of another file
			}
			if strings.Contains(text, "as above") { // abbreviated: for such a connector nothing is required
				text = strings.ReplaceAll(text, "- name: ", "- connector_id: ")
			}
			if !strings.Contains(text, "elasticsearch") {
				text = "elasticsearch.host: embedded:./data\n" + text
			}
			check(page, example[1], text)
		}
	}
	if found < 15 {
		t.Errorf("only %d examples were found", found)
	}
}

// candidates are values of every kind, valid or not.
func candidates() []any {
	return []any{
		nil, "", true, false, 0, 1, 5, -1, 0.5, 99, 1e12, "0", "5", "007", "-1", "0.5", "50%", "1e3", "0x10", " 7 ", "true", "Yes", "off", "ON",
		"maybe", "zebra", "64MiB", "500 KB", "1.5GiB", "5m", "1h30m", "90s", "12 parsecs", "a, b", "DEBUG", "warn", "tika", "Head", "exact", "de",
		"service",
		[]any{},
		[]any{"a", 1},
		[]any{[]any{}},
		map[string]any{},
		map[string]any{"zebra": 1},
		"files", "documents", "tab", "1.0",
	}
}

// base is a valid file, to which a key is added.
func base() map[string]any {
	return map[string]any{
		"elasticsearch.host": "embedded:./data",
		"connectors":         []any{connector()},
	}
}

func connector() map[string]any {
	return map[string]any{"name": "a", "service_type": "dir", "index_name": "a", "configuration": map[string]any{"directory": "."}}
}

// with adds a value under a full key, such as "connectors[].rules[].policy".
func with(root map[string]any, key string, value any) map[string]any {
	at := root
	for {
		first, rest, more := strings.Cut(key, ".")
		name, many := strings.CutSuffix(first, "[]")
		switch {
		case !more && many:
			at[name] = []any{value}
			return root
		case !more:
			at[name] = value
			return root
		case many && at[name] == nil:
			at[name] = []any{map[string]any{}}
		case !many && at[name] == nil:
			at[name] = map[string]any{}
		}
		if many {
			at = at[name].([]any)[0].(map[string]any)
		} else {
			at = at[name].(map[string]any)
		}
		key = rest
	}
}

// refusals loads a file and returns the errors about a key.
func refusals(t *testing.T, dir string, file map[string]any, key string) (about config.Errors) {
	t.Helper()
	text, err := json.Marshal(file) // which is YAML
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(t.Context(), name, config.Env{})
	all, _ := errors.AsType[config.Errors](err)
	key = strings.ReplaceAll(key, "[]", "[0]")
	for _, e := range all {
		if e.Key == key || strings.HasPrefix(e.Key, key+".") || strings.HasPrefix(e.Key, key+"[") {
			about = append(about, e)
		}
	}
	return about
}

// keys lists every key that holds a value, by its full name.
func keys(k *config.Key, path string) (all []string) {
	for _, below := range k.Keys {
		switch below.Kind {
		case config.Section:
			all = append(all, path+below.Name)
			all = append(all, keys(below, path+below.Name+".")...)
		case config.Sections:
			all = append(all, keys(below, path+below.Name+"[].")...)
		default:
			all = append(all, path+below.Name)
		}
	}
	return all
}

// semantic are the complaints of the loader that a schema cannot express: they depend on files, on other keys, or
// on more than the form of a value.
var semantic = regexp.MustCompile(`names .*, which|is missing|beside|embedded|address|must begin with|cloud id|fingerprint|client_|takes|is given|reads a file|file .* (does not exist|cannot be read|is a folder)|empty|run |names no|but there is none|only for connectors|works only with|service_types|index|begins with|blank|is the same|has the character|longer|without connector_id|named`)

// TestTheSchemaAgreesWithTheLoader gives every key values of every kind, and compares what the two say.
func TestTheSchemaAgreesWithTheLoader(t *testing.T) {
	t.Parallel()
	schema := compiled(t, File(sources.Builtin.Types()))
	all := keys(config.Describe(), "")
	if len(all) < 100 {
		t.Fatalf("only %d keys: %q", len(all), all)
	}
	for _, key := range all {
		if strings.HasSuffix(key, "_command") || key == "connectors[].configuration" { // would run; has its own test
			continue
		}
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, value := range candidates() {
				file := with(base(), key, value)
				refused := refusals(t, dir, file, key)
				err := schema.Validate(likeJSON(t, file))
				switch {
				case len(refused) == 0 && err != nil && about(err, key):
					t.Errorf("%#v is accepted by the loader, but not by the schema: %v", value, err)
				case len(refused) > 0 && err == nil && !semantic.MatchString(refused.Error()) && !textOutOfRange(value):
					t.Errorf("%#v is accepted by the schema, but not by the loader: %v", value, refused)
				}
			}
			reference := with(base(), key, "${X}")
			if err := schema.Validate(likeJSON(t, reference)); err != nil && about(err, key) && len(refusals(t, dir, with(base(), key, "x"), key)) == 0 {
				t.Errorf("a variable is refused: %v", err)
			}
		})
	}
}

// textOutOfRange: limits of numbers are checked in numbers only, because a pattern cannot compare.
func textOutOfRange(value any) bool {
	_, isText := value.(string)
	return isText
}

// about reports whether an error is about a key: others are about the rest of the file, such as a connector that
// lacks what a changed service type requires.
func about(err error, key string) bool {
	failed, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return true
	}
	path := strings.Split(strings.ReplaceAll(key, "[]", ".0"), ".")
	var within func(e *jsonschema.ValidationError) bool
	within = func(e *jsonschema.ValidationError) bool {
		if len(e.InstanceLocation) >= len(path) && slices.Equal(e.InstanceLocation[:len(path)], path) {
			return true
		}
		return slices.ContainsFunc(e.Causes, within)
	}
	return within(failed)
}

// TestUnknownKeysAreRefusedByBoth adds an unknown key to each section.
func TestUnknownKeysAreRefusedByBoth(t *testing.T) {
	t.Parallel()
	schema := compiled(t, File(sources.Builtin.Types()))
	for _, section := range []string{
		"", "elasticsearch.", "elasticsearch.bulk.", "elasticsearch.bulk.error_monitor.", "service.", "engine.", "extraction_service.",
		"connectors[].", "connectors[].guard.", "connectors[].schedule.", "connectors[].rules[].",
	} {
		for _, name := range []string{"zebra", "bulk.zebra", "guard.zebra", "zebra.host"} {
			file := with(base(), section+"host_", 1)
			if name != "zebra" {
				file = base()
				at := file
				if section == "connectors[]." {
					at = file["connectors"].([]any)[0].(map[string]any)
				} else if section != "" {
					continue
				}
				at[name] = 1
			}
			if len(refusals(t, t.TempDir(), file, strings.TrimSuffix(section, "."))) == 0 && section != "" || schema.Validate(likeJSON(t, file)) == nil {
				t.Errorf("%s%s is accepted", section, name)
			}
		}
	}
}

// TestDottedKeysMatchTheSchema: a key means the same in nested and in dotted form.
func TestDottedKeysMatchTheSchema(t *testing.T) {
	t.Parallel()
	schema := compiled(t, File(sources.Builtin.Types()))
	for text, valid := range map[string]bool{
		`{"elasticsearch.host": "http://a", "elasticsearch.bulk.chunk_size": 7}`:                                         true,
		`{"elasticsearch.host": "http://a", "elasticsearch.bulk": {"chunk_size": 7}}`:                                    true,
		`{"elasticsearch": {"host": "http://a", "bulk.chunk_size": 7}}`:                                                  true,
		`{"elasticsearch": {"host": "http://a", "bulk.chunk_size": [7]}}`:                                                false,
		`{"elasticsearch.host": "http://a", "elasticsearch.headers.X-A": "b"}`:                                           true,
		`{"elasticsearch.host": "http://a", "elasticsearch.headers.X-A": ["b"]}`:                                         false,
		`{"elasticsearch.host": "http://a", "connectors": [{"connector_id": "a", "configuration.host": "b"}]}`:           true,
		`{"elasticsearch.host": "http://a", "connectors": [{"connector_id": "a", "guard.max_deletes": "no number"}]}`:    false,
		`{"elasticsearch": {"bulk": {"chunk_size": 7}}}`:                                                                 false,
		`{"elasticsearch": {"host": "http://a"}, "connectors": [{"index_name": "a"}]}`:                                   false,
		`{"elasticsearch": {"host": "http://a"}, "connectors": [{"name": "a", "index_name": "a"}]}`:                      false,
		`{"elasticsearch": {"host": "http://a"}, "connectors": [{"name": "a", "service_type": "x", "index_name": "a"}]}`: true,
	} {
		err := schema.Validate(unmarshaled(t, text))
		if (err == nil) != valid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestFieldsOfSourcesAgreeWithTheSchema: whatever a source accepts, its schema accepts; what is missing, both miss.
func TestFieldsOfSourcesAgreeWithTheSchema(t *testing.T) {
	t.Parallel()
	for _, typ := range sources.Builtin.Types() {
		t.Run(typ.Name, func(t *testing.T) {
			t.Parallel()
			schema := compiled(t, Source(typ))
			complete := completed(t, typ)
			if err := schema.Validate(likeJSON(t, complete)); err != nil {
				t.Fatalf("%v: %v", complete, err)
			}
			for _, spec := range typ.Fields {
				for _, value := range candidates() {
					values := maps.Clone(complete)
					for _, d := range spec.DependsOn { // otherwise the value is not checked
						values[d.Field] = d.Value
					}
					values[spec.Name] = value
					refused := parseError(typ, values)
					if err := schema.Validate(likeJSON(t, values)); refused == nil && err != nil {
						t.Errorf("%s: %#v is accepted by the source, but not by the schema: %v", spec.Name, value, err)
					} else if _, isText := value.(string); refused != nil && err == nil && !isText && value != nil && !emptyList(value) && !strings.Contains(refused.Error(), "cannot be empty") {
						t.Errorf("%s: %#v is accepted by the schema, but not by the source: %v", spec.Name, value, refused)
					}
				}
				missing := maps.Clone(complete)
				delete(missing, spec.Name)
				if refused, err := parseError(typ, missing), schema.Validate(likeJSON(t, missing)); (refused == nil) != (err == nil) {
					t.Errorf("without %s: the source says %v, the schema %v", spec.Name, refused, err)
				}
				if spec.Sensitive {
					missing[spec.Name+"_file"] = "secret"
					if err := schema.Validate(likeJSON(t, missing)); err != nil {
						t.Errorf("%s_file: %v", spec.Name, err)
					}
				}
			}
			complete["zebra"] = 1
			if parseError(typ, complete) == nil || schema.Validate(likeJSON(t, complete)) == nil {
				t.Error("an unknown field is accepted")
			}
		})
	}
}

func emptyList(v any) bool { l, ok := v.([]any); return ok && len(l) == 0 }

func parseError(typ source.Type, values map[string]any) error {
	_, err := field.Parse(typ.Fields, values)
	return err
}

// completed gives a value to everything that is required.
func completed(t *testing.T, typ source.Type) map[string]any {
	t.Helper()
	values := map[string]any{}
	for range typ.Fields {
		failed, _ := errors.AsType[field.Errors](parseError(typ, values))
		for _, e := range failed {
			at := slices.IndexFunc(typ.Fields, func(s field.Spec) bool { return s.Name == e.Field })
			values[e.Field] = "x"
			if kind := typ.Fields[at].Type; kind == field.Int {
				values[e.Field] = 5
			} else if kind == field.List {
				values[e.Field] = []any{"x"}
			}
		}
	}
	if err := parseError(typ, values); err != nil {
		t.Fatal(err)
	}
	return values
}
