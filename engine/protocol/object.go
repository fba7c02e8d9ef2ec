package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"strconv"
)

// Reading JSON that anybody may have written: whatever is not what it should be counts as absent, and
// stays where it is. Property names are matched exactly.

// object is what is left to read of a JSON object.
type object map[string]json.RawMessage

// readObject returns nil for what is no object.
func readObject(raw []byte) object {
	var o object
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	return o
}

// take removes a property and returns it; nil if there is none.
func (o object) take(name string) json.RawMessage {
	raw := o[name]
	delete(o, name)
	return raw
}

// text takes a text, or what can be read as one: a number, true or false, null as "". All else stays.
func (o object) text(name string) string {
	v, err := readAny(o[name])
	if err != nil {
		return ""
	}
	switch v := v.(type) {
	case nil:
		delete(o, name)
	case string:
		delete(o, name)
		return v
	case json.Number:
		delete(o, name)
		return v.String()
	case bool:
		delete(o, name)
		return strconv.FormatBool(v)
	}
	return ""
}

// isNull reports whether a property is there and null.
func (o object) isNull(name string) bool { return isNull(o[name]) }

// rest is what was not taken; nil if there is nothing.
func (o object) rest() map[string]json.RawMessage {
	if len(o) == 0 {
		return nil
	}
	return o
}

// writeObject writes known properties, without those that are raw and empty, and others over them.
func writeObject(others map[string]json.RawMessage, known map[string]any) ([]byte, error) {
	maps.DeleteFunc(known, func(_ string, v any) bool {
		raw, ok := v.(json.RawMessage)
		return ok && len(raw) == 0
	})
	for name, raw := range others {
		known[name] = raw
	}
	return json.Marshal(known)
}

// readList returns the members of a list, or an object as the one member; nil for what is neither.
func readList(raw []byte) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	if readObject(raw) != nil {
		return []json.RawMessage{raw}
	}
	return nil
}

// readTexts returns the texts of a list, or of one text alone; never nil.
func readTexts(raw []byte) []string {
	out := []string{}
	v, err := readAny(raw)
	if err != nil {
		return out
	}
	if s, ok := v.(string); ok {
		return append(out, s)
	}
	list, _ := v.([]any)
	for _, member := range list {
		if s, ok := member.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// readNumber reads a number, or a text that spells one.
func readNumber(raw []byte) (float64, bool) {
	v, err := readAny(raw)
	if err != nil {
		return 0, false
	}
	text, ok := v.(string)
	if n, isNumber := v.(json.Number); isNumber {
		text, ok = n.String(), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// readAny decodes one JSON value, numbers as [json.Number].
func readAny(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func isNull(raw []byte) bool { return string(bytes.TrimSpace(raw)) == "null" }
