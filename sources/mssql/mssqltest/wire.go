package mssqltest

import (
	"math/big"
)

// wire is a value in the form that the server of the protocol expects.
func wire(v value) any {
	switch x := v.v.(type) {
	case *big.Rat:
		return x.FloatString(v.typ.scale)
	case string:
		if v.typ.isCLR() {
			return []byte(x) // a client cannot decode it without the library of the type
		}
	}
	return v.v
}
