// Package draft writes a configuration file with comments, from the fields of a source type and the values that are
// known.
//
// It asks nothing and connects to nothing. Its invariant: a value never changes the structure of the file, and a
// secret is never in it: the file refers to a variable.
package draft

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Draft is a configuration file with one connector.
type Draft struct {
	Type        source.Type
	Name, Index string
	// Host is the destination, and Login its other keys in order: pairs of key and value.
	Host  string
	Login [][2]string
	// Values are the known values of fields, as text. Those of sensitive fields are references.
	Values map[string]string
}

// Template is the draft of a source type of which nothing is known.
func Template(t source.Type) *Draft {
	return &Draft{Type: t, Name: t.Name, Index: IndexOf(t.Name), Host: "embedded:./data"}
}

// IndexOf suggests an index for a connector.
func IndexOf(name string) string {
	return "search-" + strings.Trim(strings.ToLower(notInNames.ReplaceAllString(name, "-")), "-")
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// Variable suggests a variable for a secret, such as SHOP_PASSWORD.
func Variable(name, key string) string {
	v := strings.Trim(strings.ToUpper(notInNames.ReplaceAllString(name+"_"+key, "_")), "_")
	if v == "" || v[0] >= '0' && v[0] <= '9' {
		return "_" + v
	}
	return v
}

// Reference is a value that stands for a variable.
func Reference(variable string) string { return "${" + variable + "}" }

var reference = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// Referred returns the variable that a value stands for.
func Referred(value string) (variable string, ok bool) {
	m := reference.FindStringSubmatch(value)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// Include is a value that stands for the content of a file.
func Include(file string) string { return "${file:" + file + "}" }

var included = regexp.MustCompile(`^\$\{file:([^{}]+)\}$`)

// Included returns the file whose content a value stands for. A path with braces cannot be written.
func Included(value string) (file string, ok bool) {
	m := included.FindStringSubmatch(value)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// width is the width of comments.
const width = 80

// Text is the file.
func (d *Draft) Text() string {
	w := &writer{}
	w.comment("", "A configuration for elastic-ingest, written by elastic-ingest init.")
	w.line("#")
	w.line("#   elastic-ingest diff      show what a sync would write")
	w.line("#   elastic-ingest sync      write it")
	w.line("#")
	w.comment("", "Relative paths start at the folder of this file. ${NAME} is a variable of the environment, or of the file .env beside this one. "+
		"For completion in an editor, run elastic-ingest schema > elastic-ingest.schema.json and make this comment the first line of the file:")
	w.line("#")
	w.line("#   # yaml-language-server: $schema=elastic-ingest.schema.json") // an editor reads it only if its first word is that name
	w.line("")
	w.line("elasticsearch:")
	w.line("  host: " + Scalar(d.Host))
	for _, pair := range d.Login {
		w.line("  " + pair[0] + ": " + Scalar(pair[1]))
	}
	if strings.HasPrefix(d.Host, "embedded:") {
		w.line("")
		w.comment("  ", "This is a folder, for a first look. A server:")
		w.line("  # host: https://localhost:9200")
		w.line("  # api_key: ${ES_API_KEY}      # or username, and password: ${ES_PASSWORD}")
		w.line("  # ca_certs: ./http_ca.crt     # if you use your own certificate authority")
	}
	w.line("")
	w.line("connectors:")
	w.line("  - name: " + Scalar(d.Name))
	w.line("    service_type: " + Scalar(d.Type.Name))
	w.line("    index_name: " + Scalar(d.Index))
	w.line("    configuration:")
	specs := slices.Clone(d.Type.Fields)
	slices.SortStableFunc(specs, func(a, b field.Spec) int { return a.Order - b.Order })
	for i := range specs {
		if i > 0 {
			w.line("")
		}
		d.field(w, &specs[i])
	}
	return w.b.String()
}

// field writes one field: what it means, and its value, or its default as a comment.
func (d *Draft) field(w *writer, s *field.Spec) {
	const indent = "      "
	initial := field.Initial(s)
	about := s.Label
	switch {
	case initial != nil:
		about += " (default: " + flow(initial) + ")"
	case s.Optional:
		about += " (optional)"
	default:
		about += " (required)"
	}
	var conditions []string
	for _, dependency := range s.DependsOn {
		conditions = append(conditions, dependency.Field+": "+flow(dependency.Value))
	}
	if len(conditions) > 0 {
		about += ", only with " + strings.Join(conditions, " and ")
	}
	w.comment(indent, strings.TrimSuffix(about, ".")+". "+s.Tooltip)
	for _, o := range s.Options {
		w.comment(indent+"  ", o.Value+": "+o.Label)
	}
	value, known := d.Values[s.Name]
	switch {
	case known && value != "":
		w.line(indent + s.Name + ": " + scalarOf(s, value))
	case initial != nil:
		w.line(indent + "# " + s.Name + ": " + flow(initial))
	case s.Sensitive && (s.Optional || len(s.DependsOn) > 0):
		w.line(indent + "# " + s.Name + ": " + Reference(Variable(d.Name, s.Name)))
	case s.Sensitive:
		w.line(indent + s.Name + ": " + Reference(Variable(d.Name, s.Name)))
	case s.Optional || len(s.DependsOn) > 0:
		w.line(indent + "# " + s.Name + ":")
	default:
		w.line(indent + s.Name + ":")
	}
}

// scalarOf writes the value of a field.
func scalarOf(s *field.Spec, value string) string {
	if yes, ok := field.ParseBool(value); ok && s.Type == field.Bool {
		return strconv.FormatBool(yes)
	}
	return Scalar(value)
}

// writer writes lines.
type writer struct{ b strings.Builder }

func (w *writer) line(s string) { w.b.WriteString(strings.TrimRight(s, " ") + "\n") }

func (w *writer) comment(indent, text string) {
	for _, l := range term.Wrap(text, width-len(indent)-2) {
		w.line(indent + "# " + term.Plain(l))
	}
}

// flow writes a typed value on one line.
func flow(v any) string {
	switch v := v.(type) {
	case string:
		return Scalar(v)
	case []string:
		words := make([]string, len(v))
		for i, word := range v {
			words[i] = Scalar(word)
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// unquoted is text that means itself in YAML, whatever is around it.
var unquoted = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./@+-]*(:[A-Za-z0-9_./@+-]+)*$`)

// words are unquoted texts that are not text in YAML, in any case.
var words = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"}

// Scalar writes a text as a YAML value that the loader reads as the same text. A reference to a variable or a file stays one.
func Scalar(s string) string {
	if _, ok := Referred(s); ok {
		return s
	}
	if file, ok := Included(s); ok {
		if unquoted.MatchString(file) {
			return s
		}
		return strconv.Quote(s)
	}
	s = strings.ReplaceAll(s, "$", "$$")
	if _, err := strconv.Atoi(s); err == nil && !strings.HasPrefix(s, "+") {
		return s
	}
	_, notNumber := strconv.ParseFloat(s, 64)
	if unquoted.MatchString(s) && notNumber != nil && !slices.Contains(words, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s) // its escapes are those of YAML
}
