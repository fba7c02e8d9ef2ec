package field

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// convert converts raw to the type t. The result is string, int, float64, bool or
// []string, or nil for an absent value. A non-empty complaint says what was
// expected; it never quotes raw, which may be a secret.
func convert(t Type, raw any) (value any, complaint string) {
	if n, ok := raw.(json.Number); ok {
		raw = n.String()
		if f, err := n.Float64(); t == Int && err == nil && strings.ContainsAny(n.String(), ".eE") {
			raw = f // 5.0 is an integer, because JSON may have been decoded to floats
		}
	}
	if raw == nil {
		return nil, ""
	}
	switch t {
	case Str:
		return toStr(raw)
	case Int:
		return toInt(raw)
	case Float:
		return toFloat(raw)
	case Bool:
		return toBool(raw)
	case List:
		return toList(raw)
	}
	return nil, "has the unknown type " + strconv.Quote(string(t))
}

// toStr accepts text, and numbers as written.
func toStr(raw any) (any, string) {
	switch v := raw.(type) {
	case string:
		return v, ""
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10), ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64), ""
	}
	if s, ok := integerText(raw); ok {
		return s, ""
	}
	return nil, "must be text"
}

func toInt(raw any) (any, string) {
	const complaint = "must be an integer"
	switch v := raw.(type) {
	case string:
		v = strings.TrimSpace(v)
		if v == "" {
			return nil, ""
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return nil, complaint
		}
		return n, ""
	case float64: // JSON has no other number
		if v != math.Trunc(v) || math.Abs(v) >= 1<<53 {
			return nil, complaint
		}
	}
	s, ok := integerText(raw)
	if !ok {
		return nil, complaint
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, complaint
	}
	return n, ""
}

func toFloat(raw any) (any, string) {
	const complaint = "must be a number"
	s, ok := raw.(string)
	if v, isFloat := raw.(float64); isFloat {
		s, ok = strconv.FormatFloat(v, 'g', -1, 64), true
	}
	if !ok {
		s, ok = integerText(raw)
	}
	s = strings.TrimSpace(s)
	switch {
	case !ok:
		return nil, complaint
	case s == "":
		return nil, ""
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, complaint
	}
	return f, ""
}

func toBool(raw any) (any, string) {
	const complaint = "must be true or false"
	switch v := raw.(type) {
	case bool:
		return v, ""
	case string:
		if strings.TrimSpace(v) == "" {
			return nil, ""
		}
		if b, ok := ParseBool(v); ok {
			return b, ""
		}
	}
	return nil, complaint
}

// ParseBool reads the words for true and false that configuration accepts, in
// any case: y, yes, true, 1 and n, no, false, 0.
func ParseBool(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes", "true", "1":
		return true, true
	case "n", "no", "false", "0":
		return false, true
	}
	return false, false
}

// SplitList reads a list written as text: members are separated by commas,
// surrounding blanks are ignored, and empty members are dropped.
func SplitList(s string) []string {
	members := []string{}
	for m := range strings.SplitSeq(s, ",") {
		if m = strings.TrimSpace(m); m != "" {
			members = append(members, m)
		}
	}
	return members
}

func toList(raw any) (any, string) {
	const complaint = "must be a list of text"
	switch v := raw.(type) {
	case string:
		return SplitList(v), ""
	case []string:
		return dropEmpty(v), ""
	case []any:
		members := make([]string, 0, len(v))
		for _, m := range v {
			if n, ok := m.(json.Number); ok {
				m = n.String()
			}
			if m == nil {
				continue
			}
			s, wrong := toStr(m)
			if wrong != "" {
				return nil, complaint
			}
			members = append(members, s.(string))
		}
		return dropEmpty(members), ""
	}
	s, wrong := toStr(raw)
	if wrong != "" {
		return nil, complaint
	}
	return []string{s.(string)}, ""
}

func dropEmpty(members []string) []string {
	kept := make([]string, 0, len(members))
	for _, m := range members {
		if m != "" {
			kept = append(kept, m)
		}
	}
	return kept
}

// integerText writes any Go integer, or an integer float64, in decimal.
func integerText(raw any) (string, bool) {
	switch v := raw.(type) {
	case int:
		return strconv.Itoa(v), true
	case int32:
		return strconv.FormatInt(int64(v), 10), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint:
		return strconv.FormatUint(uint64(v), 10), true
	case uint32:
		return strconv.FormatUint(uint64(v), 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10), true
		}
	}
	return "", false
}

// empty reports whether a converted value counts as not given.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	}
	return false
}
