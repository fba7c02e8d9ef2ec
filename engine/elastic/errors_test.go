package elastic

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// TestAConflictOfShapesNamesItsField: in the words of both versions of Elasticsearch.
func TestAConflictOfShapesNamesItsField(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		"[1:15] object mapping for [a.b] tried to parse field [b] as object, but found a concrete value":             "a",
		"can't merge a non object mapping [z.new] with an object mapping":                                            "z",
		"mapper [new] cannot be changed from type [long] to [ObjectMapper]":                                          "new",
		"[1:21] failed to parse field [b] of type [long] in document with id '4'. Preview of field's value: '{x=1}'": "b",
		"[1:21] failed to parse field [b] of type [long] in document with id '4'. Preview of field's value: 'x'":     "",
		"mapper [n] cannot be changed from type [long] to [double]":                                                  "",
		"Limit of total fields [1000] has been exceeded":                                                             "",
	} {
		e := &Error{Type: "document_parsing_exception", Status: 400, Reason: reason}
		hint := Hint(e)
		if got := shapeConflict(e); got != want || (want != "") != strings.Contains(hint, `"enabled": false`) {
			t.Errorf("%s: %q, %q, want %q", reason, got, hint, want)
		}
	}
	for reason, want := range map[string]string{
		"mapper [n] cannot be changed from type [long] to [double]":       "n true",
		"mapper [n.m] cannot be changed from type [long] to [text]":       "n.m false",
		"mapper [n] cannot be changed from type [long] to [ObjectMapper]": " false",
		"something else": " false",
	} {
		field, numbers := TwoKinds(BulkItem{Type: "illegal_argument_exception", Reason: reason})
		if got := field + " " + strconv.FormatBool(numbers); got != want {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
}

// TestHintsForAnIndexThatCannotBeMade: what is to be changed depends on what refuses it.
func TestHintsForAnIndexThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		"cannot create index with name [logs-a-b], because it matches with template [logs] that creates data streams only": "index_name",
		"unknown setting [index.nonsense]":       "mappings key",
		"Unknown tokenizer type [icu_tokenizer]": "analysis-icu",
	} {
		if hint := Hint(fmt.Errorf("%w: %w", ErrConfig, &Error{Type: "illegal_argument_exception", Status: 400, Reason: reason})); !strings.Contains(hint, want) {
			t.Errorf("%s: %q", reason, hint)
		}
	}
}
