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

// Tolerant reading of JSON from any writer: a value of an unexpected type counts as missing, and
// stays in its place. Property names are matched exactly.

// object holds the properties of a JSON object that are not read yet.
type object map[string]json.RawMessage

// readObject returns nil for anything but an object.
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

// text takes a text, or a value that can be read as one: a number, true or false, null as "". Other values stay.
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

// isNull reports whether a property exists and is null.
func (o object) isNull(name string) bool { return isNull(o[name]) }

// rest returns the properties that were not taken; nil if there are none.
func (o object) rest() map[string]json.RawMessage {
	if len(o) == 0 {
		return nil
	}
	return o
}

// writeObject writes known properties, without raw ones that are empty, and lets others override them.
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

// readList returns the members of a list, or an object as the only member; nil for anything else.
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

// readTexts returns the texts of a list, or a single text; never nil.
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

// readNumber reads a number, or a number written as text.
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
