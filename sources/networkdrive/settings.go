package networkdrive

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/glob"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

type fileInfo = fs.FileInfo

// settings are the checked configuration.
type settings struct {
	login   login
	name    string   // of the server, as documents show it
	roots   []string // share and folder, each with its path below the server
	rules   []*rule  // nil for everything
	exclude []*glob.Pattern
	hidden  bool // hidden files are skipped
	recall  bool
}

// login is what a session is opened with.
type login struct {
	address, user, domain, password string
}

// isGuest reports whether the user asks to be a guest.
func (l *login) isGuest() bool { return strings.EqualFold(l.user, "guest") }

func newSettings(v field.Values, advanced any) (settings, error) {
	s := settings{
		name: serverName(v.String(fieldServer)), hidden: v.Bool(fieldHidden), recall: v.Bool(fieldRecall),
	}
	if v.Bool(fieldSecurity) {
		return s, form.ConfigError(errors.New("document level security is not supported: access lists are not read from the share"),
			"set "+fieldSecurity+": false, and index only what all readers of the index may see")
	}
	s.login.address = net.JoinHostPort(strings.Trim(s.name, "[]"), strconv.Itoa(v.Int(fieldPort)))
	s.login.user, s.login.password = v.String(fieldUser), v.String(fieldPassword)
	if domain, user, ok := strings.Cut(s.login.user, `\`); ok {
		s.login.domain, s.login.user = domain, user
	} else if user, domain, ok := strings.Cut(s.login.user, "@"); ok {
		s.login.domain, s.login.user = domain, user
	}
	for i, text := range append([]string{v.String(fieldPath)}, v.List(fieldMore)...) {
		root, err := rootOf(text)
		if err != nil {
			return s, form.ConfigError(fmt.Errorf("%s: %w", []string{fieldPath, fieldMore}[min(i, 1)], err),
				"write the name of the share and the folder in it, such as Folder1/sub")
		}
		s.roots = append(s.roots, root)
	}
	for i, a := range s.roots {
		for j, b := range s.roots {
			if i != j && within(a, b) {
				return s, form.ConfigError(fmt.Errorf("%s: %q is within %q", fieldMore, a, b), "list only the outer folder")
			}
		}
	}
	for _, text := range v.List(fieldExclude) {
		p, err := glob.Compile(text, glob.Options{DotFiles: true})
		if err != nil {
			return s, form.ConfigError(fmt.Errorf("%s: %w", fieldExclude, err), "")
		}
		s.exclude = append(s.exclude, p)
	}
	var err error
	s.rules, err = newRules(advanced, s.roots)
	return s, err
}

// serverName is the server's name or address, without a scheme or slashes around it.
func serverName(text string) string {
	if len(text) >= 6 && strings.EqualFold(text[:6], "smb://") {
		text = text[6:]
	}
	return strings.Trim(text, `\/ `)
}

// rootOf is a share, with a folder in it, as a path.
func rootOf(text string) (string, error) {
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, `\`) {
		return "", fmt.Errorf("%q begins with a slash", text)
	}
	var names []string
	for name := range strings.SplitSeq(strings.ReplaceAll(text, `\`, "/"), "/") {
		switch name {
		case "":
		case ".", "..":
			return "", fmt.Errorf("%q contains the folder %q", text, name)
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", errors.New("it does not name a share")
	}
	return strings.Join(names, "/"), nil
}

// within reports whether a path is a folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// leave reports whether the configuration excludes an entry with everything below it.
func (s *settings) leave(path string, e *entry) bool {
	if s.hidden && (e.stat.FileAttributes&(attributeHidden|attributeSystem) != 0 || strings.HasPrefix(e.Name(), ".")) {
		return true
	}
	for _, p := range s.exclude {
		if p.Match(path) {
			return true
		}
	}
	return false
}

// rule is one pattern of the advanced rules. A pattern without wildcards chooses what it names, with all
// below it.
type rule struct {
	text    string
	pattern *glob.Pattern // nil for one without wildcards
	matched atomic.Bool
}

func (r *rule) idle() bool { return !r.matched.Load() }

func (r *rule) match(path string) bool {
	var ok bool
	if r.pattern != nil {
		ok = r.pattern.Match(path)
	} else {
		ok = within(path, r.text)
	}
	if ok && r.idle() {
		r.matched.Store(true)
	}
	return ok
}

func (r *rule) couldMatchBelow(folder string) bool {
	if r.pattern != nil {
		return r.pattern.CouldMatchBelow(folder)
	}
	return within(folder, r.text) || within(r.text, folder)
}

// newRules checks the advanced rules: a list of objects with a pattern each.
func newRules(advanced any, roots []string) ([]*rule, error) {
	if advanced == nil {
		return nil, nil
	}
	refuse := func(err error) ([]*rule, error) {
		return nil, form.ConfigError(fmt.Errorf("advanced_rules: %w", err), `write a list of patterns beginning with the share, such as [{"pattern": "Folder1/**/*.pdf"}]`)
	}
	list, ok := advanced.([]any)
	if !ok {
		return refuse(errors.New("must be a list"))
	}
	var rules []*rule
	for i, item := range list {
		object, ok := item.(map[string]any)
		text, isText := object["pattern"].(string)
		if !ok || !isText || text == "" || len(object) != 1 {
			return refuse(fmt.Errorf("rule %d must be an object with the key pattern and no other", i+1))
		}
		r, err := newRule(strings.ReplaceAll(text, `\`, "/"), roots)
		if err != nil {
			return refuse(fmt.Errorf("rule %d: %w", i+1, err))
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func newRule(text string, roots []string) (*rule, error) {
	p, err := glob.Compile(text, glob.Options{})
	if err != nil {
		return nil, err
	}
	r := &rule{text: text, pattern: p}
	literal := ""
	if i := strings.IndexAny(text, "*?["); i >= 0 {
		literal = files.Parent(text[:i])
	} else if literal, err = rootOf(text); err == nil {
		r.text, r.pattern = literal, nil
	} else {
		return nil, err
	}
	for _, root := range roots {
		if literal != "" && within(literal, root) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("the pattern %q is outside of %s", text, strings.Join(roots, ", "))
}

// choice says what is read.
func (s *settings) choice() files.Choice { return chosen(s.rules) }

type chosen []*rule

func (c chosen) Match(path string) bool {
	found := len(c) == 0
	for _, r := range c { // all of them, so that each is known to match
		found = r.match(path) || found
	}
	return found
}

func (c chosen) CouldMatchBelow(folder string) bool {
	for _, r := range c {
		if r.couldMatchBelow(folder) {
			return true
		}
	}
	return len(c) == 0
}
