package elastic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLackingPrivileges: responses in the form of Elasticsearch's documentation, and those of servers without
// security.
func TestLackingPrivileges(t *testing.T) {
	t.Parallel()
	want := Privileges{Cluster: []string{"monitor"}, Indices: map[string][]string{"a": {"read", "maintenance"}, "b*": {"read"}}}
	tests := []struct {
		name, answer string
		status       int
		user         string
		lacking      Privileges
		unsecured    bool
		fails        bool
	}{
		{name: "all", status: 200, answer: `{"username":"etl","has_all_requested":true,"cluster":{},"index":{},"application":{}}`, user: "etl"},
		{
			name: "some", status: 200, user: "etl",
			answer:  `{"username":"etl","has_all_requested":false,"cluster":{"monitor":true},"index":{"a":{"read":true,"maintenance":false},"b*":{"read":true}},"application":{}}`,
			lacking: Privileges{Indices: map[string][]string{"a": {"maintenance"}}},
		},
		{
			name: "a privilege that the response omits", status: 200, user: "etl", answer: `{"username":"etl","has_all_requested":false,"index":{"a":{"read":true}}}`,
			lacking: Privileges{Cluster: []string{"monitor"}, Indices: map[string][]string{"a": {"maintenance"}, "b*": {"read"}}},
		},
		{name: "no such endpoint", status: 400, answer: `{"error":"no handler found for uri [/_security/user/_has_privileges] and method [POST]"}`, unsecured: true},
		{name: "security is off", status: 500, answer: `{"error":{"type":"exception","reason":"Security must be explicitly enabled when using a [basic] license"},"status":500}`, unsecured: true},
		{name: "another error", status: 400, answer: `{"error":{"type":"parsing_exception","reason":"x"},"status":400}`, fails: true},
		{name: "another response", status: 200, answer: `{}`, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := serve(t, tt.status, tt.answer, elasticHeader)
			c := newClient(t, Config{URL: url})
			user, lacking, secured, err := c.Lacks(t.Context(), want)
			if d := cmp.Diff(tt.lacking, lacking); d != "" || user != tt.user || secured == tt.unsecured || (err != nil) != tt.fails {
				t.Errorf("%q, secured %v, %v\n%s", user, secured, err, d)
			}
		})
	}
}
