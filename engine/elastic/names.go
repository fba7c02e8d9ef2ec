package elastic

import "encoding/json"

// aliasAnswer is what an index says of one of its aliases.
type aliasAnswer struct {
	Filter        json.RawMessage `json:"filter"`
	IndexRouting  string          `json:"index_routing"`
	SearchRouting string          `json:"search_routing"`
}

// trouble says why nothing can be mirrored through the alias, "" when it can. Through such an alias one
// sees a part of the index, and writes past it: what it hides would be taken for absent.
func (a aliasAnswer) trouble() string {
	switch {
	case len(a.Filter) > 0 && string(a.Filter) != "null":
		return "it shows only those documents of the index that its filter finds"
	case a.IndexRouting != "" || a.SearchRouting != "":
		return "it has a routing, so it shows only a part of the index"
	}
	return ""
}
