package guard

import (
	"errors"
	"reflect"

	ora "github.com/sijms/go-ora/v2"
)

var errUnknownRows = errors.New("guard: the driver's rows have an unknown structure")

// rowsLeft reports whether the server has rows that the driver did not fetch. If a connection is
// interrupted during a fetch, the driver ends the rows as if they were complete, and does not report
// that they are not.
func rowsLeft(data *ora.DataSet) (left bool, err error) {
	statement := reflect.ValueOf(data).Elem().FieldByName("parent") // an interface that holds a pointer to a struct
	if !statement.IsValid() || statement.Kind() != reflect.Interface || statement.Elem().Kind() != reflect.Pointer {
		return false, errUnknownRows
	}
	more := statement.Elem().Elem().FieldByName("_hasMoreRows")
	if !more.IsValid() || more.Kind() != reflect.Bool {
		return false, errUnknownRows
	}
	return more.Bool(), nil
}
