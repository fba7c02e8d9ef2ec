package shape

import "strings"

// Ignored is a field of which the index left some values out, which _source holds all the same.
type Ignored struct {
	Field     string `json:"field"`
	Documents int64  `json:"documents"`
	Why       string `json:"why"`
}

// WhyIgnored says why values of a field of the type are not indexed; typ is "" for a field that has none.
func WhyIgnored(typ string) string {
	switch typ {
	case "":
		return "more fields than the index takes"
	case "long", "unsigned_long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float":
		return "not a number of its range"
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
