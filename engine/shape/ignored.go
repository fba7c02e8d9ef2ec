package shape

import "strings"

// Ignored is a field with values that were not indexed, but are in _source.
type Ignored struct {
	Field     string `json:"field"`
	Documents int64  `json:"documents"`
	Why       string `json:"why"`
}

// WhyIgnored says why values of a field of the type are not indexed; typ is "" for an unmapped field.
func WhyIgnored(typ string) string {
	switch typ {
	case "":
		return "more fields than the index allows"
	case "long", "unsigned_long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float":
		return "not a number within its range"
	case "keyword", "text", "wildcard", "flattened":
		return "too long"
	case "binary":
		return "not base64"
	case "ip":
		return "not an IP address"
	}
	article := "a "
	if strings.ContainsRune("aeiou", rune(typ[0])) {
		article = "an "
	}
	return "not " + article + typ
}
