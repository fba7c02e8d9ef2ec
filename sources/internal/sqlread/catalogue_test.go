package sqlread

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
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
		"oders":       {why: "does not exist", near: "orders", logs: "of no table"},
		"shop.order":  {why: "does not exist", near: "shop.orders", logs: "of no table"},
		"zzz":         {why: "does not exist", logs: "of no table"},
		"orders_1":    {why: "is a partition", near: "orders", logs: "is a partition"},
		"tot*":        {logs: "no table matches the pattern"},
		"-zzz":        {logs: "no table to leave out"},
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
