// Package interview asks for what a configuration file needs, and tries every answer that can be tried: it opens the
// source and reaches the destination with the code of a sync.
//
// It changes neither. Its invariant: nothing is written before the last question is answered.
package interview

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/draft"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Interview is one conversation.
type Interview struct {
	App      *setup.App
	Messages *logs.Messages
	File     string // the configuration file, absolute
	Dotenv   string // the file of its variables, absolute
	Type     string // the source type; "" to ask

	dialog  *term.Dialog
	draft   *draft.Draft
	secrets []draft.Secret
	values  map[string]any // of the fields, with the secrets themselves
	unknown []string       // variables of this step that are not set here, so that it cannot be tried
	untried []string       // the same of earlier steps
}

// errQuit is the error of a conversation that was ended on purpose.
var errQuit = &usage.Error{Problem: "nothing was written"}

// Run asks all questions and returns the file and the secrets to save.
func (iv *Interview) Run(ctx context.Context) (*draft.Draft, []draft.Secret, error) {
	iv.dialog = iv.App.Streams.NewDialog()
	iv.dialog.Say("This writes " + iv.File + ". An empty answer takes the value in brackets; Ctrl-C ends without writing anything.")
	for _, step := range []func(context.Context) error{iv.sourceType, iv.names, iv.source, iv.destination} {
		if err := step(ctx); err != nil {
			if errors.Is(err, term.ErrInputEnded) {
				err = &usage.Error{Problem: "the input ended before the last question; nothing was written"}
			}
			return nil, nil, err
		}
		iv.untried = append(iv.untried, iv.unknown...)
		iv.dialog.Say("")
	}
	return iv.draft, iv.secrets, nil
}

// sourceType asks what to mirror, by number or name.
func (iv *Interview) sourceType(ctx context.Context) error {
	types := iv.App.Registry.Types()
	names := iv.App.Registry.Names()
	iv.dialog.Say("")
	answer := iv.Type
	if answer == "" {
		iv.dialog.Say("What do you want to mirror?")
		for i := range types {
			iv.dialog.Say(fmt.Sprintf("%3d  %s (%s)", i+1, types[i].Name, types[i].Title))
		}
	}
	for {
		if answer == "" {
			var err error
			if answer, err = iv.dialog.Line(ctx, "Number or name", ""); err != nil {
				return err
			}
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(types) {
			answer = types[n-1].Name
		}
		if t, ok := iv.App.Registry.Lookup(answer); ok {
			iv.draft = draft.Template(t)
			iv.draft.Values = map[string]string{}
			iv.values = map[string]any{}
			return nil
		}
		if near := field.Nearest(answer, names); near != "" && strings.ContainsFunc(answer, unicode.IsLetter) {
			iv.dialog.Say(term.Quoted(answer) + " is not in the list; did you mean " + near + "?")
		} else if answer != "" {
			iv.dialog.Say(term.Quoted(answer) + " is not in the list")
		}
		answer = ""
	}
}

// names asks for the names of the connector and its index.
func (iv *Interview) names(ctx context.Context) error {
	err := iv.judged(ctx, "Name of the connector, for the command line", "name", "connectors[0].name", &iv.draft.Name)
	if err != nil {
		return err
	}
	iv.draft.Index = draft.IndexOf(iv.draft.Name)
	return iv.judged(ctx, "Index to mirror into", "index name", "connectors[0].index_name", &iv.draft.Index)
}

// judged asks a question until the loader accepts the answer as the value of a key. what is its name for people. A
// wrong answer is not suggested again.
func (iv *Interview) judged(ctx context.Context, question, what, key string, value *string) error {
	for usual := *value; ; *value = usual {
		answer, err := iv.dialog.Line(ctx, question, usual)
		if err != nil {
			return err
		}
		*value = answer
		_, err = iv.load(ctx)
		wrong, _ := errors.AsType[config.Errors](err)
		at := slices.IndexFunc(wrong, func(e *config.Error) bool { return e.Key == key })
		if at < 0 && wrong != nil { // other answers, which were kept although they are wrong
			return nil
		}
		if at < 0 {
			return err
		}
		problem := "The " + what + " " + wrong[at].Problem
		if hint := wrong[at].Hint; hint != "" {
			problem += "; " + hint
		}
		iv.dialog.Say(problem)
	}
}

// load loads the draft as if it and its secrets had been saved.
func (iv *Interview) load(ctx context.Context) (*config.Config, error) {
	known := map[string]string{}
	for _, s := range iv.secrets {
		known[s.Name] = s.Value
	}
	for _, name := range slices.Concat(iv.unknown, iv.untried) {
		known[name] = "unknown"
	}
	if iv.draft.Type.Name != "" { // variables that the comments of the draft suggest are not read
		for i := range iv.draft.Type.Fields {
			s := &iv.draft.Type.Fields[i]
			if name := draft.Variable(iv.draft.Name, s.Name); s.Sensitive && iv.draft.Values[s.Name] == "" {
				if _, set := iv.lookup(name); !set {
					known[name] = ""
				}
			}
		}
	}
	env := iv.App.Env
	env.Lookup = func(name string) (string, bool) {
		if v, ok := known[name]; ok {
			return v, true
		}
		return iv.lookup(name)
	}
	return config.LoadText(ctx, iv.File, iv.draft.Text(), env)
}

// lookup is a variable of the environment.
func (iv *Interview) lookup(name string) (string, bool) {
	if iv.App.Env.Lookup != nil {
		return iv.App.Env.Lookup(name)
	}
	return "", false
}

// source asks for the fields of the source until it can be reached, or the user keeps the answers.
func (iv *Interview) source(ctx context.Context) error {
	iv.dialog.Say("The source: " + iv.draft.Type.Title)
	for answer := all; ; {
		if err := iv.fields(ctx, answer == secretsOnly); err != nil {
			return err
		}
		if len(iv.unknown) > 0 {
			iv.dialog.Say("The source cannot be tried here: " + notSet(iv.unknown) + ".")
			return nil
		}
		iv.dialog.Say("Connecting to the source…")
		found, err := iv.trySource(ctx)
		if err == nil {
			iv.dialog.Say("The source answers" + found + ".")
			return nil
		}
		if answer, err = iv.onFailure(ctx, err, iv.secretLabels()); err != nil || answer == keep {
			return err
		}
	}
}

// What to ask for again after something could not be reached.
const (
	all         = "c"
	secretsOnly = "p"
	keep        = "k"
)

// onFailure reports why something could not be reached and asks what to do. After a refused login, it suggests
// asking for the secrets alone; they are labels of fields.
func (iv *Interview) onFailure(ctx context.Context, failure error, secrets []string) (answer string, err error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	iv.fail(failure)
	question, usual := "c: correct the answers, k: keep them, q: quit", all
	if refused := errors.Is(failure, source.ErrAuth) || errors.Is(failure, elastic.ErrAuth); refused && len(secrets) > 0 {
		question, usual = "p: correct "+strings.Join(secrets, ", ")+"; c: correct all answers, k: keep them, q: quit", secretsOnly
	}
	for {
		answer, err := iv.dialog.Line(ctx, question, usual)
		if err != nil {
			return "", err
		}
		switch answer = strings.ToLower(answer); answer {
		case all, keep, usual:
			return answer, nil
		case "q":
			return "", errQuit
		}
	}
}

// fail reports an error. Those of the loader are reported without their place in a file that does not exist yet.
func (iv *Interview) fail(err error) {
	wrong, ok := errors.AsType[config.Errors](err)
	if !ok {
		iv.Messages.Fail("", err)
	}
	for _, e := range wrong {
		if e.Variable != "" { // that is its place
			iv.Messages.Fail("", e)
			continue
		}
		key := strings.TrimPrefix(strings.TrimPrefix(e.Key, "connectors[0]."), "configuration.")
		iv.Messages.Fail("", &usage.Error{Problem: key + ": " + e.Problem, Hint: e.Hint})
	}
}

// Unset are the variables that the file refers to and that are not set here.
func (iv *Interview) Unset() []string {
	slices.Sort(iv.untried)
	return slices.Compact(iv.untried)
}

// notSet says that variables are not set.
func notSet(names []string) string {
	if len(names) == 1 {
		return names[0] + " is not set"
	}
	return strings.Join(names, ", ") + " are not set"
}

// secretLabels are the labels of the secrets that are asked for.
func (iv *Interview) secretLabels() (labels []string) {
	for i := range iv.draft.Type.Fields {
		if s := &iv.draft.Type.Fields[i]; s.Sensitive && iv.asked(s) {
			labels = append(labels, s.Label)
		}
	}
	return labels
}

// asked reports whether a field is asked for: those without an initial value, and those that decide about them.
func (iv *Interview) asked(s *field.Spec) bool {
	if s.Advanced {
		return false
	}
	for _, d := range s.DependsOn {
		if !iv.holds(d) {
			return false
		}
	}
	if field.Initial(s) == nil {
		return true
	}
	decides := func(other field.Spec) bool {
		return !other.Advanced && field.Initial(&other) == nil &&
			slices.ContainsFunc(other.DependsOn, func(d field.Dependency) bool { return d.Field == s.Name })
	}
	return slices.ContainsFunc(iv.draft.Type.Fields, decides)
}

// holds reports whether a field has the value that another one depends on.
func (iv *Interview) holds(d field.Dependency) bool {
	at := slices.IndexFunc(iv.draft.Type.Fields, func(s field.Spec) bool { return s.Name == d.Field })
	if at < 0 {
		return false
	}
	s := &iv.draft.Type.Fields[at]
	given, ok := iv.values[d.Field]
	if !ok {
		given = field.Initial(s)
	}
	if want, isBool := d.Value.(bool); isBool {
		got, valid := field.ParseBool(fmt.Sprint(given))
		return valid && got == want
	}
	return fmt.Sprint(given) == fmt.Sprint(d.Value)
}

// fields asks for the fields, in the order of their form. With secretsOnly the other answers are kept.
func (iv *Interview) fields(ctx context.Context, secretsOnly bool) error {
	specs := slices.Clone(iv.draft.Type.Fields)
	slices.SortStableFunc(specs, func(a, b field.Spec) int { return a.Order - b.Order })
	iv.unknown = nil
	for i := range specs {
		if !iv.asked(&specs[i]) {
			delete(iv.values, specs[i].Name)
			delete(iv.draft.Values, specs[i].Name)
			continue
		}
		if secretsOnly && !specs[i].Sensitive {
			iv.set(specs[i].Name, iv.draft.Values[specs[i].Name])
			continue
		}
		if err := iv.field(ctx, &specs[i]); err != nil {
			return err
		}
	}
	return nil
}

// field asks for one field until its value is valid.
func (iv *Interview) field(ctx context.Context, s *field.Spec) error {
	iv.dialog.Say("")
	if s.Tooltip != "" {
		iv.dialog.Say(s.Tooltip)
	}
	for i, o := range s.Options {
		iv.dialog.Say(fmt.Sprintf("%d %s: %s", i+1, o.Value, o.Label))
	}
	question := s.Label
	if s.Optional {
		question += " (optional)"
	}
	before := iv.draft.Values[s.Name]
	for {
		var err error
		switch {
		case s.Sensitive:
			err = iv.secret(ctx, question, s)
		case isPEM(s):
			err = iv.certificate(ctx, question, s)
		default:
			err = iv.plain(ctx, question, s)
		}
		if err != nil {
			return err
		}
		problem := iv.problem(s)
		if problem == "" {
			return nil
		}
		iv.dialog.Say(s.Label + " " + problem)
		iv.set(s.Name, before) // a wrong answer is not suggested again
	}
}

// plain asks for a value that may be shown.
func (iv *Interview) plain(ctx context.Context, question string, s *field.Spec) error {
	usual := iv.draft.Values[s.Name]
	if initial := field.Initial(s); usual == "" && initial != nil {
		usual = fmt.Sprint(initial)
	}
	if yes, ok := field.ParseBool(usual); ok && s.Type == field.Bool {
		usual = map[bool]string{true: "yes", false: "no"}[yes]
	}
	answer, err := iv.dialog.Line(ctx, question, usual)
	if strings.HasPrefix(answer, pemBegins) && err == nil {
		answer, err = iv.pasted(ctx, answer)
	}
	if err != nil {
		return err
	}
	iv.set(s.Name, meant(s, answer))
	return nil
}

// meant is the value that an answer stands for: an option may be given by its number, a boolean as yes or no.
func meant(s *field.Spec, answer string) string {
	if yes, ok := field.ParseBool(answer); ok && s.Type == field.Bool {
		return strconv.FormatBool(yes)
	}
	n, err := strconv.Atoi(answer)
	isValue := slices.ContainsFunc(s.Options, func(o field.Option) bool { return o.Value == answer })
	if err == nil && !isValue && n >= 1 && n <= len(s.Options) {
		return s.Options[n-1].Value
	}
	return answer
}

// set keeps a value, which may be a reference to a variable.
func (iv *Interview) set(key, answer string) {
	delete(iv.values, key)
	delete(iv.draft.Values, key)
	if answer == "" {
		return
	}
	iv.draft.Values[key], iv.values[key] = answer, answer
	if variable, ok := draft.Referred(answer); ok {
		value, set := iv.valueOf(variable)
		if !set {
			iv.unknown = append(iv.unknown, variable)
		}
		iv.values[key] = value
	}
}

// valueOf is the value of a variable that the file would see.
func (iv *Interview) valueOf(variable string) (string, bool) {
	for _, s := range iv.secrets {
		if s.Name == variable {
			return s.Value, true
		}
	}
	if v, ok := iv.lookup(variable); ok {
		return v, true
	}
	v, ok := config.Variables(iv.Dotenv)[variable]
	return v, ok
}

// secret asks for a secret: its value is kept for the .env, and the file refers to it.
func (iv *Interview) secret(ctx context.Context, question string, s *field.Spec) error {
	answer, err := iv.askSecret(ctx, question, iv.draft.Values[s.Name], draft.Variable(iv.draft.Name, s.Name), s.Optional)
	if err != nil {
		return err
	}
	iv.set(s.Name, answer)
	return nil
}

// askSecret asks for a secret, or the variable that holds it, and returns the reference to it. before is the
// reference so far.
func (iv *Interview) askSecret(ctx context.Context, question, before, suggested string, optional bool) (string, error) {
	hint := "hidden; empty to name a variable instead"
	if before != "" {
		hint = "hidden; empty keeps it"
	}
	value, err := iv.dialog.Hidden(ctx, question+" ("+hint+")")
	if err != nil {
		return "", err
	}
	if value == "" && before != "" {
		return before, nil
	}
	if value == "" {
		usual := suggested
		if optional {
			usual = "none"
		}
		for {
			name, err := iv.dialog.Line(ctx, "Variable that holds it", usual)
			if err != nil {
				return "", err
			}
			if optional && name == "none" {
				return "", nil
			}
			name = strings.TrimSuffix(strings.TrimPrefix(name, "${"), "}")
			if _, ok := draft.Referred(draft.Reference(name)); ok {
				return draft.Reference(name), nil
			}
			iv.dialog.Say("A name has letters, digits and _, and does not begin with a digit.")
		}
	}
	name, had := draft.Referred(before)
	at := slices.IndexFunc(iv.secrets, func(s draft.Secret) bool { return had && s.Name == name })
	if at >= 0 {
		iv.secrets[at].Value = value
		return before, nil
	}
	name = iv.free(suggested)
	iv.secrets = append(iv.secrets, draft.Secret{Name: name, Value: value})
	return draft.Reference(name), nil
}

// free is a variable that nothing sets yet: one of the environment would win over the .env, one in the .env may be
// used by another configuration, and one that another answer names has another value.
func (iv *Interview) free(suggested string) string {
	name := suggested
	for n := 2; ; n++ {
		if _, taken := iv.valueOf(name); !taken && !slices.Contains(iv.unknown, name) && !slices.Contains(iv.untried, name) {
			return name
		}
		name = suggested + "_" + strconv.Itoa(n)
	}
}

// problem is what is wrong with the value of a field, "" for nothing.
func (iv *Interview) problem(s *field.Spec) string {
	value := iv.draft.Values[s.Name]
	if variable, ok := draft.Referred(value); ok && slices.Contains(iv.unknown, variable) {
		return ""
	}
	if isPEM(s) && !acceptedPEM(value) {
		return "is neither the path of a file nor PEM"
	}
	_, err := field.Parse(iv.draft.Type.Fields, iv.values)
	all, _ := errors.AsType[field.Errors](err)
	for _, e := range all {
		if e.Field == s.Name {
			return e.Problem
		}
	}
	if port := iv.portIn(s); port != nil && iv.asked(port) {
		return "must not have a port, which is asked next"
	} else if port != nil {
		return "must not have a port; set " + port.Name + " in the file"
	}
	return ""
}

// portIn is the field for the port that the value of another field has after a host; nil if it has none. An IPv6
// address is a host, and a path is the folder of a socket.
func (iv *Interview) portIn(s *field.Spec) *field.Spec {
	portOf := map[string]string{"host": "port", "server_ip": "server_port"}
	value, _ := iv.values[s.Name].(string)
	at := slices.IndexFunc(iv.draft.Type.Fields, func(other field.Spec) bool { return other.Name == portOf[s.Name] })
	if at < 0 || strings.HasPrefix(value, "/") {
		return nil
	}
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return nil
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil
	}
	return &iv.draft.Type.Fields[at]
}

// parsed are the values of the only connector of the draft.
func parsed(ctx context.Context, cfg *config.Config, t *source.Type) (field.Values, error) {
	raw, err := cfg.Connectors[0].ResolveConfiguration(ctx, t.Fields)
	if err != nil {
		return field.Values{}, err
	}
	return field.Parse(t.Fields, raw)
}
