package mongodb

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// wrappers are the objects in which MongoDB's extended JSON writes values that JSON lacks, see
// https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/. Keys that are query operators
// too, such as $regex and $type, are not among them: they are sent to the server unchanged.
var wrappers = []string{
	"$oid", "$date", "$numberDecimal", "$numberLong", "$numberInt", "$numberDouble", "$uuid", "$binary", "$timestamp",
	"$minKey", "$maxKey", "$regularExpression", "$symbol",
}

// toBSON converts decoded JSON to values for the driver. The keys of an object are sorted.
func toBSON(raw any) (any, error) {
	switch v := raw.(type) {
	case []any:
		list := bson.A{}
		for _, member := range v {
			m, err := toBSON(member)
			if err != nil {
				return nil, err
			}
			list = append(list, m)
		}
		return list, nil
	case map[string]any:
		return objectToBSON(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
		return float64(v), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 { // an integer that was decoded from JSON
			return int64(v), nil
		}
	}
	return raw, nil
}

func objectToBSON(v map[string]any) (any, error) {
	keys := slices.Sorted(maps.Keys(v))
	if len(keys) == 1 && slices.Contains(wrappers, keys[0]) {
		return wrapped(keys[0], v)
	}
	if _, reference := v["$ref"]; reference { // references are equal only in this order
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == "$ref" })
		keys = slices.Insert(keys, 0, "$ref")
	}
	d := bson.D{}
	for _, key := range keys {
		value, err := toBSON(v[key])
		if err != nil {
			return nil, err
		}
		d = append(d, bson.E{Key: key, Value: value})
	}
	return d, nil
}

// wrapped is the value of an object of extended JSON.
func wrapped(key string, v map[string]any) (any, error) {
	text, err := json.Marshal(map[string]any{"v": v})
	if err != nil {
		return nil, err
	}
	var d bson.D
	if err := bson.UnmarshalExtJSON(text, false, &d); err != nil || len(d) != 1 {
		return nil, fmt.Errorf("%s holds no value of that type", key)
	}
	return d[0].Value, nil
}
