package sqlread

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// Rule is a configured advanced rule.
type Rule struct {
	Path      string  // its place in the configuration, such as advanced_rules[0]
	Tables    []Entry // each names one table exactly
	Query     string  // without semicolons at its end
	IDColumns []string
}

// ParseRules reads advanced rules: a list of objects, or nothing.
func (q Quote) ParseRules(raw any) ([]Rule, error) {
	switch raw := raw.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if len(raw) == 0 {
			return nil, nil
		}
	case []any:
		var rules []Rule
		for i, member := range raw {
			r := Rule{Path: fmt.Sprintf("advanced_rules[%d]", i)}
			if err := r.parse(q, member); err != nil {
				return nil, err
			}
			rules = append(rules, r)
		}
		return rules, nil
	}
	return nil, form.ConfigError(fmt.Errorf("advanced_rules: must be a list, not %s", kindOf(raw)), ruleHint)
}

const ruleHint = `write a list of rules such as {tables: [orders], query: "SELECT * FROM orders WHERE paid"}`

// parse reads one rule.
func (r *Rule) parse(q Quote, raw any) (err error) {
	keys, ok := raw.(map[string]any)
	if !ok {
		return form.ConfigError(fmt.Errorf("%s: must be an object, not %s", r.Path, kindOf(raw)), ruleHint)
	}
	known := []string{"tables", "query", "id_columns"}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(known, key) {
			continue
		}
		hint := "remove it; a rule has the keys " + strings.Join(known, ", ")
		if near := field.Nearest(key, known); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return form.ConfigError(fmt.Errorf("%s.%s: unknown key", r.Path, key), hint)
	}
	names, err := r.texts("tables", keys["tables"], "name the tables that the documents belong to, such as tables: [orders]")
	if err != nil {
		return err
	}
	for i, n := range names {
		e, err := q.ParseEntry(n)
		if err == nil && (e.Exclude || !e.Exact()) {
			err = fmt.Errorf("%q is not the name of one table", n)
		}
		if err != nil {
			return form.ConfigError(fmt.Errorf("%s.tables[%d]: %w", r.Path, i, err), fmt.Sprintf("write a name, or schema.name; one with odd characters in quotes, such as %q", q.Ident("odd name*")))
		}
		r.Tables = append(r.Tables, e)
	}
	text, ok := keys["query"].(string)
	r.Query = strings.TrimRight(text, "; \t\r\n")
	if strings.TrimSpace(r.Query) == "" {
		problem := "is empty"
		if !ok {
			problem = "must be text, not " + kindOf(keys["query"])
		}
		return form.ConfigError(fmt.Errorf("%s.query: %s", r.Path, problem), "write a SELECT whose rows become documents")
	}
	if columns, given := keys["id_columns"]; given {
		r.IDColumns, err = r.texts("id_columns", columns, "name the columns of the result that identify a row, or remove the key")
	}
	return err
}

// texts reads a list of one text or more.
func (r *Rule) texts(key string, raw any, hint string) (texts []string, err error) {
	list, ok := raw.([]any)
	switch {
	case !ok:
		return nil, form.ConfigError(fmt.Errorf("%s.%s: must be a list, not %s", r.Path, key, kindOf(raw)), hint)
	case len(list) == 0:
		return nil, form.ConfigError(fmt.Errorf("%s.%s: is empty", r.Path, key), hint)
	}
	for i, member := range list {
		text, ok := member.(string)
		if text = strings.TrimSpace(text); text == "" {
			problem := "is empty"
			if !ok {
				problem = "must be text, not " + kindOf(member)
			}
			return nil, form.ConfigError(fmt.Errorf("%s.%s[%d]: %s", r.Path, key, i, problem), hint)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// kindOf names the type of a decoded value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "missing"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}
