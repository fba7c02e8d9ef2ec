package sqlread

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	known := []Known{
		{Schema: "shop", Name: "orders", Table: true},
		{Schema: "shop", Name: "totals"},
		{Schema: "shop", Name: "orders_1", Table: true, Why: "is a partition"},
	}
	for entry, want := range map[string]struct{ why, near, logs string }{
		"orders":      {},
		"shop.orders": {},
		"totals":      {},
		"*":           {},
		"ord*":        {},
		"oders":       {why: "does not exist", near: "orders"},
		"shop.order":  {why: "does not exist", near: "shop.orders"},
		"zzz":         {why: "does not exist"},
		"orders_1":    {why: "is a partition", near: "orders"},
		"tot*":        {why: "matches no table"},
		"odrers*":     {why: "matches no table", near: "orders"},
		"-zzz":        {logs: "no table matches the exclusion"},
		"-zz*":        {},
	} {
		l, err := Double.ParseTables([]string{entry})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		got := l.Unknown(known, slog.New(slog.NewTextHandler(&log, nil)))
		switch {
		case len(got) != len(strings.Fields(want.why))/max(1, len(strings.Fields(want.why))):
			t.Errorf("%s: got %v", entry, got)
		case want.why != "" && (got[0].Why != want.why || got[0].Near != want.near || got[0].Entry.Text != entry):
			t.Errorf("%s: got %+v", entry, got[0])
		}
		if !strings.Contains(log.String(), want.logs) || want.logs == "" && log.Len() > 0 {
			t.Errorf("%s: logged %s", entry, &log)
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	m := &Missing{Of: "t", Err: errors.New("gone")}
	for _, err := range m.Documents(t.Context()) {
		if !errors.Is(err, m.Err) || m.Scope() != "t" || m.Name() != "t" {
			t.Errorf("got %v of %s, %s", err, m.Scope(), m.Name())
		}
		return
	}
	t.Error("it does not fail")
}

// TestAnEntryKnowsTheDocumentsOfItsTables: by their scopes, so that a deleted table is distinguished from a name that
// was never right.
func TestAnEntryKnowsTheDocumentsOfItsTables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		entry, schema, scope string
		want                 bool
	}{
		{"orders", "", "public.orders", true},
		{"orders", "", "public.order", false},
		{"orders", "shop", "orders", true},
		{"shop.orders", "shop", "orders", true},
		{"shop.orders", "shop", "other.orders", false},
		{"public.orders", "", "public.orders", true},
		{`"a.b"`, "", `public."a.b"`, true},
		{"log_*", "", "public.log_2024", true},
		{"log_*", "", "public.blog_2024", false},
		{"orders", "", "dbo.Orders", true}, // the server may have no letter case
		{"orders", "", "dbo.orders+dbo.customers", false},
		{"orders", "", `broken"`, false},
	} {
		l, err := Double.ParseTables([]string{tt.entry})
		if err != nil {
			t.Fatal(err)
		}
		u := l.Unknown(nil, slog.New(slog.DiscardHandler))[0]
		m := u.Missing("s", tt.schema, "", "GRANT IT;")
		e, ok := errors.AsType[*source.UnmatchedError](m.Err)
		if !ok || e.Of(tt.scope) != tt.want || !errors.Is(m.Err, source.ErrConfig) {
			t.Errorf("%s and %s: got %t, %v", tt.entry, tt.scope, ok && e.Of(tt.scope), m.Err)
		}
		if name := m.Scope(); (name == "s") != u.Entry.Exact() || strings.Contains(source.Hint(m.Err), "GRANT") != u.Entry.Exact() {
			t.Errorf("%s: got the scope %s and the hint %s", tt.entry, name, source.Hint(m.Err))
		}
	}
}
