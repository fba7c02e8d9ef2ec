package records

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

func TestSecretFieldsAreMasked(t *testing.T) {
	t.Parallel()
	specs := []field.Spec{{Name: "host", Label: "Host"}, {Name: "password", Label: "Password", Sensitive: true}}
	tests := []struct{ name, field, stored, want string }{
		{"a field that the source marks as public is shown", "host", `{"value":"a"}`, `{"value":"a"}`},
		{"unless the record calls it a secret", "host", `{"sensitive":true,"value":"a"}`, `{"sensitive":true,"value":"•••"}`},
		{"a secret of the source is masked, even if the record says otherwise", "password", `{"sensitive":false,"value":"a"}`, `{"sensitive":false,"value":"•••"}`},
		{"a default is a value, too", "password", `{"default_value":"a","value":"b"}`, `{"default_value":"•••","value":"•••"}`},
		{"a field of an unknown source that the record marks as public", "url", `{"sensitive":false,"value":"a"}`, `{"sensitive":false,"value":"a"}`},
		{"an unknown field is masked", "url", `{"value":"a"}`, `{"value":"•••"}`},
		{"a field with an invalid mark is masked", "url", `{"sensitive":"no","value":["a"]}`, `{"sensitive":"no","value":"•••"}`},
		{"an empty value stays visible", "password", `{"value":""}`, `{"value":""}`},
		{"so does an empty list", "password", `{"value":[]}`, `{"value":[]}`},
		{"a number is masked, too", "password", `{"value":0}`, `{"value":"•••"}`},
		{"a bare value", "host", `"a"`, `"a"`},
		{"a bare secret", "password", `"a"`, `"•••"`},
		{"a bare value of an unknown field", "url", `"a"`, `"•••"`},
		{"credentials in an address", "host", `{"value":"mongodb://u:p@a,b/?x=1"}`, `{"value":"mongodb://•••@a,b/?x=1"}`},
		{"an address without credentials", "host", `{"value":"https://a/x@y"}`, `{"value":"https://a/x@y"}`},
		{"credentials in a bare address", "host", `"http://u:p@a"`, `"http://•••@a"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, string(hiddenField(specs, tt.field, json.RawMessage(tt.stored)))); d != "" {
				t.Error(d)
			}
		})
	}
}
