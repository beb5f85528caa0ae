// SPDX-License-Identifier: Apache-2.0

// Go's golang.org/x/mod/sumdb beside our ledger; driven by ../sumdb.py.
//
//	sumdb figures FOLDER                  the rows of tests/vectors/tlog
//	sumdb sign KEY...                     stdin: a text; stdout: the note. KEY: file of a private key
//	sumdb open SOURCE SIZE VKEY...        how many of the entries are notes of one of the keys
//	sumdb write FOLDER ORIGIN SIZE        makes a log of opaque entries; prints its vkey
//	sumdb audit SOURCE POLICY [SEEN...]   SOURCE: a folder or http://...; SEEN: older checkpoints
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
)

func check(err error) {
	if err != nil {
		fmt.Printf("refused: %v\n", err)
		os.Exit(3)
	}
}

func text(path string) string {
	data, err := os.ReadFile(path)
	check(err)
	return string(data)
}

func main() {
	if len(os.Args) < 3 {
		os.Exit(2)
	}
	args := os.Args[2:]
	switch os.Args[1] {
	case "figures":
		t, err := figures(args[0])
		check(err)
		fmt.Printf("%d passed, %d failed\n", t.passed, t.failed)
	case "sign":
		input, err := io.ReadAll(os.Stdin)
		check(err)
		var keys []string
		for _, path := range args {
			keys = append(keys, text(path))
		}
		note, err := sign(input, keys)
		check(err)
		_, err = os.Stdout.Write(note)
		check(err)
	case "open":
		size, err := strconv.ParseInt(args[1], 10, 64)
		check(err)
		opened, err := signers(args[0], size, args[2:])
		check(err)
		fmt.Printf("opened %d\n", opened)
	case "write":
		size, err := strconv.ParseInt(args[2], 10, 64)
		check(err)
		vkey, err := write(args[0], args[1], size)
		check(err)
		fmt.Println(vkey)
	case "audit":
		done, err := audit(args[0], text(args[1]), args[2:])
		check(err)
		fmt.Printf("verified %d\n", done)
	default:
		os.Exit(2)
	}
}
