package mssql

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// ruleEnv makes the environment of rules, each given by its tables, query and id columns.
func ruleEnv(rules ...map[string]any) source.Env {
	list := []any{}
	for _, r := range rules {
		list = append(list, r)
	}
	return source.Env{AdvancedRules: list}
}

func queryOf(query, tables string, idColumns ...any) map[string]any {
	r := map[string]any{"query": query, "tables": []any{}}
	for t := range strings.SplitSeq(tables, ",") {
		r["tables"] = append(r["tables"].([]any), t)
	}
	if idColumns != nil {
		r["id_columns"] = idColumns
	}
	return r
}
