package sourcecheck

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// described compares the descriptions of two runs, and each with the documents of its part.
func (s *Source) described(ctx context.Context) error {
	var runs [2]map[string]source.Description
	for i := range runs {
		err := s.with(ctx, s.Values, func(src source.Source, v field.Values) (err error) {
			var common []source.DescribedField
			if s.Type.CommonFields != nil {
				common = s.Type.CommonFields(v)
			}
			runs[i], err = s.describeAndRead(ctx, src, common)
			return err
		})
		if err != nil {
			return err
		}
	}
	for name, first := range runs[0] {
		if second := runs[1][name]; !reflect.DeepEqual(first, second) {
			return inPart(name, "the first run describes %+v, the second %+v", first, second)
		}
	}
	return nil
}

// describeAndRead describes all parts before it reads the first, as the engine does.
func (s *Source) describeAndRead(ctx context.Context, src source.Source, common []source.DescribedField) (map[string]source.Description, error) {
	parts, err := listParts(ctx, src)
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if _, ok := part.(source.Describer); ok != s.Type.Describes {
			return nil, inPart(part.Name(), "it is a source.Describer: %t, and Type.Describes is %t", ok, s.Type.Describes)
		}
	}
	descriptions, err := describeAll(ctx, parts)
	if err != nil {
		return nil, err
	}
	byName, unseen := map[string]source.Description{}, map[string]bool{}
	for _, f := range common {
		unseen[f.Name] = true
	}
	for i, part := range parts {
		d := descriptions[i]
		byName[part.Name()] = d
		if err := checkDescription(&d, common); err != nil {
			return nil, inPart(part.Name(), "%w", err)
		}
		err := each(part.Documents(ctx), func(doc document.Document) (bool, error) {
			for _, f := range doc.Fields {
				delete(unseen, f.Name)
			}
			return true, Described(&d, s.Type, common, &doc)
		})
		if err != nil {
			return nil, inPart(part.Name(), "%w", err)
		}
	}
	if len(unseen) > 0 {
		return nil, fmt.Errorf("no document has these of Type.CommonFields: %q", slices.Sorted(maps.Keys(unseen)))
	}
	return byName, nil
}

// describeAll describes parts concurrently. A part that is not a Describer gets an empty description.
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
			err := crash.Guarded(func() (err error) {
				descriptions[i], err = describer.Describe(ctx)
				return err
			})
			if err != nil {
				errs[i] = inPart(part.Name(), "describe: %w", err)
			}
		})
	}
	wg.Wait()
	return descriptions, errors.Join(errs...)
}

// checkDescription checks what can be checked without a document.
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
				return fmt.Errorf("the field %q is described with the unknown kind %q", f.Name, f.Kind)
			}
		}
	}
	return nil
}

// Described checks one document against the description of its part. Fields need no description in a type whose
// parts are not [source.Describer]s; the common fields of the type are checked nevertheless.
func Described(d *source.Description, t source.Type, common []source.DescribedField, doc *document.Document) error {
	if err := describedAs(d, t, common, doc); err != nil {
		return &placed{part: "", id: doc.ID, err: err}
	}
	return nil
}

func describedAs(d *source.Description, t source.Type, common []source.DescribedField, doc *document.Document) error {
	rest, ok := strings.CutPrefix(doc.ID, d.IDPrefix)
	switch {
	case !ok:
		return fmt.Errorf("the id does not begin with %q", d.IDPrefix)
	case d.NumericIDs && strings.Trim(rest, "0123456789+-._E") != "":
		return fmt.Errorf("the id is described as numeric after %q", d.IDPrefix)
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
			return fmt.Errorf("the field %q: %w", f.Name, err)
		}
		if err := checkField(kinds, f.Name, v, t.Describes); err != nil {
			return err
		}
	}
	return nil
}

// checkField checks a field, or its members if the field itself is not described.
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

// fit reports whether a decoded JSON value is of a kind: null fits every kind, and a list fits if its elements do.
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

// fits checks the values of each kind.
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
		for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05"} { // with or without a fraction
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

// digits returns the digits of a number, or of a text.
func digits(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case string:
		return v
	}
	return ""
}
