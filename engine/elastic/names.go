package elastic

import "encoding/json"

// aliasAnswer is an index's description of one of its aliases.
type aliasAnswer struct {
	Filter        json.RawMessage `json:"filter"`
	IndexRouting  string          `json:"index_routing"`
	SearchRouting string          `json:"search_routing"`
}

// trouble says why the alias cannot be mirrored through, "" if it can. Such an alias shows only a
// part of the index but writes to all of it: hidden documents would count as missing.
func (a aliasAnswer) trouble() string {
	switch {
	case len(a.Filter) > 0 && string(a.Filter) != "null":
		return "its filter shows only some documents of the index"
	case a.IndexRouting != "" || a.SearchRouting != "":
		return "it has a routing, so it shows only a part of the index"
	}
	return ""
}
