package sourcetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// described: what is said of documents before they are read holds for every one of them, and is the same in
// every run.
func (s *suite) described(ctx context.Context) error {
	var runs [2]map[string]source.Description
	for i := range runs {
		err := s.with(ctx, s.raw, func(src source.Source, v field.Values) (err error) {
			var common []source.DescribedField
			if s.cfg.Type.CommonFields != nil {
				common = s.cfg.Type.CommonFields(v)
			}
			runs[i], err = s.describeAndRead(ctx, src, common)
			return err
		})
		if err != nil {
			return err
		}
	}
	if diff := cmp.Diff(runs[0], runs[1]); diff != "" {
		return fmt.Errorf("two runs describe the same data differently (-first +second):\n%s", diff)
	}
	return nil
}

// describeAndRead describes all parts, as the engine does before it reads the first, and then reads them.
func (s *suite) describeAndRead(ctx context.Context, src source.Source, common []source.DescribedField) (map[string]source.Description, error) {
	var parts []source.Part
	for part, err := range src.Parts(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list the parts: %w", err)
		}
		if _, ok := part.(source.Describer); ok != s.cfg.Type.Describes {
			return nil, fmt.Errorf("part %q is a Describer: %t, and Type.Describes is %t", part.Name(), ok, s.cfg.Type.Describes)
		}
		parts = append(parts, part)
	}
	descriptions, err := describeAll(ctx, parts)
	if err != nil {
		return nil, err
	}
	byName := map[string]source.Description{}
	for i, part := range parts {
		d := descriptions[i]
		byName[part.Name()] = d
		if err := checkDescription(&d, common); err != nil {
			return nil, fmt.Errorf("part %q: %w", part.Name(), err)
		}
		for doc, err := range part.Documents(ctx) {
			if err == nil {
				err = Described(&d, s.cfg.Type, common, &doc)
			}
			if err != nil {
				return nil, fmt.Errorf("part %q: %w", part.Name(), err)
			}
		}
	}
	return byName, nil
}

// describeAll describes parts concurrently. The description of one that is no Describer is empty.
func describeAll(ctx context.Context, parts []source.Part) ([]source.Description, error) {
	var wg sync.WaitGroup
	descriptions, errs := make([]source.Description, len(parts)), make([]error, len(parts))
	slots := make(chan struct{}, readers)
	for i, part := range parts {
		describer, ok := part.(source.Describer)
		if !ok {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() { // ends with the description
			defer func() { <-slots }()
			var err error
			if descriptions[i], err = describer.Describe(ctx); err != nil {
				errs[i] = fmt.Errorf("describe part %q: %w", part.Name(), err)
			}
		})
	}
	wg.Wait()
	return descriptions, errors.Join(errs...)
}

// checkDescription checks what can be known without a document.
func checkDescription(d *source.Description, common []source.DescribedField) error {
	names := map[string]bool{}
	for _, f := range d.Fields {
		if names[f.Name] {
			return fmt.Errorf("the field %q is described twice", f.Name)
		}
		names[f.Name] = true
	}
	for _, fields := range [][]source.DescribedField{d.Fields, common} {
		for _, f := range fields {
			if f.Name == "" || fits[f.Kind] == nil {
				return fmt.Errorf("the field %q is described as of the kind %q", f.Name, f.Kind)
			}
		}
	}
	return nil
}

// Described checks one document against the description of its part. The fields of a type whose parts are no
// [source.Describer] need not be described; those that all its documents have are checked all the same.
func Described(d *source.Description, t source.Type, common []source.DescribedField, doc *document.Document) error {
	rest, ok := strings.CutPrefix(doc.ID, d.IDPrefix)
	switch {
	case !ok:
		return fmt.Errorf("the id %q does not begin with %q", doc.ID, d.IDPrefix)
	case d.NumericIDs && strings.Trim(rest, "0123456789+-._E") != "":
		return fmt.Errorf("the id %q is described as numeric behind %q", doc.ID, d.IDPrefix)
	}
	kinds := map[string]source.FieldKind{}
	for _, fields := range [][]source.DescribedField{common, d.Fields} {
		for _, f := range fields {
			kinds[f.Name] = f.Kind
		}
	}
	for _, f := range doc.Fields {
		dec := json.NewDecoder(bytes.NewReader(f.Value.AppendJSON(nil)))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			return fmt.Errorf("document %q: the field %q: %w", doc.ID, f.Name, err)
		}
		if err := checkField(kinds, f.Name, v, t.Describes); err != nil {
			return fmt.Errorf("document %q: %w", doc.ID, err)
		}
	}
	return nil
}

// checkField checks a field, or the members of one that is not described itself.
func checkField(kinds map[string]source.FieldKind, name string, v any, all bool) error {
	if kind, ok := kinds[name]; ok {
		if !fit(kind, v) {
			return fmt.Errorf("the field %q is described as %s and holds %v", name, kind, v)
		}
		return nil
	}
	members, ok := v.(map[string]any)
	if !ok {
		if all {
			return fmt.Errorf("the field %q is not described", name)
		}
		return nil
	}
	for member, v := range members {
		if err := checkField(kinds, name+"."+member, v, all); err != nil {
			return err
		}
	}
	return nil
}

// fit reports whether a decoded JSON value is of a kind: null is of every one, a list is what its elements are.
func fit(kind source.FieldKind, v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		for _, element := range v {
			if !fit(kind, element) {
				return false
			}
		}
		return true
	}
	return fits[kind](v)
}

// fits tells which values are of a kind.
var fits = map[source.FieldKind]func(v any) bool{
	source.Text:    func(any) bool { return true }, // it is not mapped
	source.Keyword: func(v any) bool { _, ok := v.(string); return ok },
	source.Boolean: func(v any) bool { _, ok := v.(bool); return ok },
	source.Object:  func(v any) bool { _, ok := v.(map[string]any); return ok },
	source.Double:  func(v any) bool { _, ok := v.(json.Number); return ok },
	source.Long: func(v any) bool {
		n, ok := v.(json.Number)
		_, err := strconv.ParseInt(n.String(), 10, 64)
		return ok && err == nil
	},
	source.UnsignedLong: func(v any) bool {
		n, ok := new(big.Int).SetString(digits(v), 10)
		return ok && n.Sign() >= 0 && n.Cmp(new(big.Int).SetUint64(math.MaxUint64)) <= 0
	},
	source.Decimal: func(v any) bool {
		_, ok := new(big.Float).SetString(digits(v))
		return ok
	},
	source.Date: func(v any) bool {
		text, _ := v.(string)
		for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05"} { // a fraction may be in it
			if _, err := time.Parse(layout, text); err == nil {
				return true
			}
		}
		return false
	},
	source.Binary: func(v any) bool {
		text, ok := v.(string)
		_, err := base64.StdEncoding.DecodeString(text)
		return ok && err == nil
	},
	source.IP: func(v any) bool {
		text, _ := v.(string)
		_, err := netip.ParseAddr(text)
		return err == nil
	},
}

// digits are those of a number, or a text.
func digits(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		return v
	}
	return ""
}
