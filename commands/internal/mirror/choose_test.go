package mirror

import (
	"fmt"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	two := []config.Connector{{Name: "one"}, {Name: "two", ConnectorID: "7Dx"}}
	tests := []struct {
		name       string
		connectors []config.Connector
		names      []string
		all        bool
		want       string
	}{
		{"the only one needs no name", two[:1], nil, false, "one"},
		{"several do", two, nil, false, "the configuration has 2 connectors: one, two"},
		{"all of them", two, nil, true, "one two"},
		{"in the order of the command line, each once", two, []string{"two", "one", "two"}, false, "two one"},
		{"one of Elasticsearch by its id, too", two, []string{"7Dx", "two"}, false, "two"},
		{"none", nil, nil, true, "the configuration has no connector"},
		{"names of connectors of Elasticsearch alone", nil, []string{"a"}, false, `, and "a"`},
		{"unknown names, each once", two, []string{"a", "one", "a"}, false, `one, and "a"`},
		{"an empty name is not an id", two, []string{""}, false, `, and ""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			chosen, unknown, err := choose(tt.connectors, tt.names, tt.all)
			got := strings.Join(records.ConnectorNames(chosen), " ")
			for _, name := range unknown {
				got += fmt.Sprintf(", and %q", name)
			}
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
