// SPDX-License-Identifier: Apache-2.0

// The figures of tests/vectors/tlog, which our own code passes too, by x/mod.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type tally struct{ passed, failed int }

func (t *tally) row(ok bool, format string, args ...interface{}) {
	if ok {
		t.passed++
		return
	}
	t.failed++
	fmt.Printf("failed: "+format+"\n", args...)
}

func load(path string, into interface{}) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

type hexHash tlog.Hash

func (h *hexHash) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	data, err := hex.DecodeString(s)
	if err != nil || len(data) != tlog.HashSize {
		return fmt.Errorf("%q is no hash", s)
	}
	copy(h[:], data)
	return nil
}

func hashes(list []hexHash) []tlog.Hash {
	var all []tlog.Hash
	for _, h := range list {
		all = append(all, tlog.Hash(h))
	}
	return all
}

func (t *tally) eightLeaves(dir string) error {
	var f struct {
		Entries    []string
		LeafHashes []hexHash `json:"leaf_hashes"`
		Roots      []hexHash
		Inclusion  []struct {
			Index, Size int64
			Path        []hexHash
		}
		Consistency []struct {
			Old, New int64
			Path     []hexHash
		}
	}
	if err := load(filepath.Join(dir, "rfc6962-8leaf.json"), &f); err != nil {
		return err
	}
	for i, e := range f.Entries {
		data, _ := hex.DecodeString(e)
		t.row(tlog.RecordHash(data) == tlog.Hash(f.LeafHashes[i]), "leaf %d", i)
	}
	for _, p := range f.Inclusion {
		err := tlog.CheckRecord(hashes(p.Path), p.Size, tlog.Hash(f.Roots[p.Size]), p.Index,
			tlog.Hash(f.LeafHashes[p.Index]))
		t.row(err == nil, "entry %d of %d: %v", p.Index, p.Size, err)
	}
	for _, p := range f.Consistency {
		err := tlog.CheckTree(hashes(p.Path), p.New, tlog.Hash(f.Roots[p.New]), p.Old,
			tlog.Hash(f.Roots[p.Old]))
		t.row(err == nil, "from %d to %d: %v", p.Old, p.New, err)
	}
	return nil
}

func (t *tally) roots(dir string) error {
	var f struct{ Roots map[string]hexHash }
	if err := load(filepath.Join(dir, "roots.json"), &f); err != nil {
		return err
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, i := range indexes {
			found = append(found, stored[i])
		}
		return found, nil
	})
	delete(f.Roots, "0") // x/mod 0.7 has no hash for the empty tree
	left := len(f.Roots)
	for size := int64(0); left > 0; size++ {
		if want, listed := f.Roots[strconv.FormatInt(size, 10)]; listed {
			left--
			root, err := tlog.TreeHash(size, reader)
			t.row(err == nil && root == tlog.Hash(want), "root of %d", size)
		}
		var entry [8]byte
		binary.BigEndian.PutUint64(entry[:], uint64(size))
		for i := range entry {
			entry[i] ^= 0x8e
		}
		more, err := tlog.StoredHashes(size, entry[:], reader)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	return nil
}

func (t *tally) paths(dir string) error {
	var f struct {
		IndexPath map[string]string `json:"index_path"`
	}
	if err := load(filepath.Join(dir, "tiles.json"), &f); err != nil {
		return err
	}
	for index, path := range f.IndexPath {
		n, _ := strconv.ParseInt(index, 10, 64)
		tile := tlog.Tile{H: height, L: 0, N: n, W: 1 << height}
		t.row(pathOf(tile) == "tile/0/"+path, "path of %d", n)
		tile.L = entriesTile
		t.row(pathOf(tile) == "tile/entries/"+path, "path of bundle %d", n)
	}
	return nil
}

func (t *tally) notes(dir string) error {
	var rows []struct {
		Desc, Want string
		Note       []byte
		Vkeys      []string
	}
	if err := load(filepath.Join(dir, "notes.json"), &rows); err != nil {
		return err
	}
	for _, r := range rows {
		all, err := verifiersOf(r.Vkeys)
		if err != nil {
			return err
		}
		_, err = note.Open(r.Note, note.VerifierList(all...))
		t.row((err == nil) == (r.Want == "accept"), "note, %s: %v", r.Desc, err)
	}
	return nil
}

func (t *tally) checkpoints(dir string) error {
	var rows []struct {
		Desc, Want, Vkey string
		Checkpoint       []byte
		Witnesses        []string
	}
	if err := load(filepath.Join(dir, "checkpoints.json"), &rows); err != nil {
		return err
	}
	for _, r := range rows {
		all, err := verifiersOf(append([]string{r.Vkey}, r.Witnesses...))
		if err != nil {
			return err
		}
		p := policy{all[0].Name(), note.VerifierList(all...), len(all)}
		_, _, err = checkpointOf(r.Checkpoint, p)
		t.row((err == nil) == (r.Want == "accept"), "checkpoint, %s: %v", r.Desc, err)
	}
	return nil
}

func figures(dir string) (tally, error) {
	var t tally
	for _, step := range []func(string) error{t.eightLeaves, t.roots, t.paths, t.notes, t.checkpoints} {
		if err := step(dir); err != nil {
			return t, err
		}
	}
	return t, nil
}
