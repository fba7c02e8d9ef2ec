package objects

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Rule is an advanced rule: which objects of one bucket are read.
type Rule struct {
	Bucket     string
	Prefix     string   // of keys; not a folder
	Extensions []string // lower case, with the dot; nil for all
}

const ruleHint = `write a list of rules such as {"bucket": "reports", "prefix": "2024/", "extension": [".pdf"]}`

// ParseRules reads advanced rules as decoded JSON: a list of objects, or nothing.
func ParseRules(raw any) ([]Rule, error) {
	fail := func(format string, args ...any) ([]Rule, error) {
		return nil, &source.Error{Kind: source.ErrConfig, Err: fmt.Errorf("advanced_rules"+format, args...), Hint: ruleHint}
	}
	if m, ok := raw.(map[string]any); raw == nil || ok && len(m) == 0 {
		return nil, nil
	}
	members, ok := raw.([]any)
	if !ok {
		return fail(": must be a list")
	}
	var rules []Rule
	for i, member := range members {
		keys, ok := member.(map[string]any)
		if !ok {
			return fail("[%d]: must be an object", i)
		}
		var r Rule
		for key, value := range keys {
			if complaint := r.set(key, value); complaint != "" {
				return fail("[%d].%s: %s", i, key, complaint)
			}
		}
		if r.Bucket == "" {
			return fail("[%d].bucket: is missing", i)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func (r *Rule) set(key string, value any) (complaint string) {
	const text = "must be text"
	var ok bool
	switch key {
	case "bucket":
		if r.Bucket, ok = value.(string); !ok {
			return text
		}
	case "prefix":
		if r.Prefix, ok = value.(string); !ok {
			return text
		}
	case "extension":
		list, ok := value.([]any)
		if !ok {
			return "must be a list of text"
		}
		for _, member := range list {
			extension, ok := member.(string)
			if !ok || extension == "" {
				return "must be a list of text"
			}
			r.Extensions = append(r.Extensions, "."+strings.ToLower(strings.TrimPrefix(extension, ".")))
		}
	default:
		return "is an unknown key; a rule has bucket, prefix and extension"
	}
	return ""
}

func (r *Rule) matches(key string) bool {
	return strings.HasPrefix(key, r.Prefix) &&
		(r.Extensions == nil || slices.Contains(r.Extensions, strings.ToLower(Extension(key))))
}

// Extension is what follows the last dot of the last segment of a key, with the dot. Leading dots of a name do not
// count.
func Extension(key string) string {
	name := strings.TrimLeft(key[strings.LastIndexByte(key, '/')+1:], ".")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}

// ruleScopes are the prefixes to list: each bucket in the order of its first rule, with those of its prefixes that
// no other prefix covers, so that no object is listed twice.
func ruleScopes(rules []Rule) []scope {
	var scopes []scope
	byBucket := map[string][]Rule{}
	var order []string
	for _, r := range rules {
		if byBucket[r.Bucket] == nil {
			order = append(order, r.Bucket)
		}
		byBucket[r.Bucket] = append(byBucket[r.Bucket], r)
	}
	for _, bucket := range order {
		var prefixes []string
		for _, r := range byBucket[bucket] {
			prefixes = append(prefixes, r.Prefix)
		}
		slices.Sort(prefixes) // a prefix sorts before those that it covers
		kept := []string{}
		for _, p := range prefixes {
			if n := len(kept); n == 0 || !strings.HasPrefix(p, kept[n-1]) {
				kept = append(kept, p)
				scopes = append(scopes, scope{bucket: bucket, prefix: p, rules: byBucket[bucket]})
			}
		}
	}
	return scopes
}
