package mssqltest

import (
	"math/big"
)

// wire is a value as the protocol's server takes it.
func wire(v value) any {
	switch x := v.v.(type) {
	case *big.Rat:
		return x.FloatString(v.typ.scale)
	case string:
		if v.typ.isCLR() {
			return []byte(x) // what a client cannot know without the program of the type
		}
	}
	return v.v
}
