// SPDX-License-Identifier: Apache-2.0

// A whole log by x/mod's sumdb/tlog: every hash, every inclusion, every step between two trees.
package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type auditor struct {
	from   source
	tree   tlog.Tree
	proven tlog.HashReader // hashes that the tree's root vouches for
	done   int
}

// everyEntry: its hash is in its place, and x/mod's proof of it verifies.
func (a *auditor) everyEntry() error {
	all, err := entries(a.from, a.tree.N)
	if err != nil {
		return err
	}
	for i, entry := range all {
		leaf := tlog.RecordHash(entry)
		proof, err := tlog.ProveRecord(a.tree.N, int64(i), a.proven)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, a.tree.N, a.tree.Hash, int64(i), leaf); err != nil {
			return fmt.Errorf("entry %d: %v", i, err)
		}
		other := tlog.RecordHash(append([]byte{0}, entry...))
		if tlog.CheckRecord(proof, a.tree.N, a.tree.Hash, int64(i), other) == nil {
			return fmt.Errorf("entry %d: another entry passes", i)
		}
		a.done++
	}
	return nil
}

// rebuilt: the tree from nothing but the entries, with x/mod's own storage.
func (a *auditor) rebuilt() error {
	all, err := entries(a.from, a.tree.N)
	if err != nil {
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
	for i, entry := range all {
		more, err := tlog.StoredHashes(int64(i), entry, reader)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(a.tree.N, reader)
	if err == nil && root != a.tree.Hash {
		err = fmt.Errorf("the entries give another root")
	}
	a.done++
	return err
}

// ownTiles are those of a tree of that size, without the partial ones of smaller trees before it.
func ownTiles(size int64) []tlog.Tile {
	var all []tlog.Tile
	for _, t := range tlog.NewTiles(height, 0, size) {
		last := size>>(uint(t.L)*height) - t.N<<height // hashes of this tile in the tree
		if int64(t.W) == last || t.W == 1<<height {
			all = append(all, t)
		}
	}
	return all
}

// everyTile that a tree of this size has is there under its path, and holds proven hashes.
func (a *auditor) everyTile() error {
	for _, t := range ownTiles(a.tree.N) {
		data, err := a.from.read(pathOf(t))
		if err != nil {
			return err
		}
		want, err := tlog.ReadTileData(t, a.proven)
		if err != nil {
			return err
		}
		if string(want) != string(data) {
			return fmt.Errorf("%s: other hashes than the root vouches for", pathOf(t))
		}
		a.done++
	}
	return nil
}

// extends: the newest tree begins with `old`, and between the two is a proof that x/mod makes and
// checks; what the older tree's own tiles say is checked beside it.
func (a *auditor) extends(old, to tlog.Tree) error {
	if old.N == 0 {
		return nil // everything extends the empty tree
	}
	proof, err := tlog.ProveTree(to.N, old.N, a.proven)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, to.N, to.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("from %d to %d: %v", old.N, to.N, err)
	}
	broken := old.Hash
	broken[0] ^= 1
	if tlog.CheckTree(proof, to.N, to.Hash, old.N, broken) == nil {
		return fmt.Errorf("from %d to %d: another root passes", old.N, to.N)
	}
	a.done++
	return nil
}

// atItsTime: a reader who still has an older checkpoint gets along with the tiles of today.
func (a *auditor) atItsTime(old tlog.Tree) error {
	proven := tlog.TileHashReader(old, tiles{a.from})
	for i := int64(0); i < old.N; i += 1 + old.N/8 {
		if _, err := tlog.ProveRecord(old.N, i, proven); err != nil {
			return fmt.Errorf("tree of %d: %v", old.N, err)
		}
		a.done++
	}
	return nil
}

// audit checks the log at `where` against its policy, and against checkpoints seen earlier.
func audit(where, policyText string, seen []string) (int, error) {
	p, err := policyOf(policyText)
	if err != nil {
		return 0, err
	}
	from := sourceOf(where)
	head, err := from.read("checkpoint")
	if err != nil {
		return 0, err
	}
	tree, signed, err := checkpointOf(head, p)
	if err != nil {
		return 0, err
	}
	if signed < 2 {
		return 0, fmt.Errorf("no witness cosigned the checkpoint")
	}
	a := &auditor{from: from, tree: tree, proven: tlog.TileHashReader(tree, tiles{from})}
	trees := []tlog.Tree{}
	for _, file := range seen {
		data, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		old, _, err := checkpointOf(data, p)
		if err != nil {
			return 0, fmt.Errorf("%s: %v", file, err)
		}
		trees = append(trees, old)
	}
	trees = append(trees, tree)
	for i, to := range trees {
		for _, old := range trees[:i] {
			if err := a.extends(old, to); err != nil {
				return 0, err
			}
		}
		if err := a.atItsTime(to); err != nil {
			return 0, err
		}
	}
	for _, step := range []func() error{a.everyTile, a.rebuilt, a.everyEntry} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return a.done, nil
}

// write makes a log in a folder as x/mod computes it: entries of different lengths, all tiles of its
// size, a checkpoint of a new key. Its vkey is returned.
func write(dir, origin string, size int64) (string, error) {
	private, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", err
	}
	var stored []tlog.Hash
	var all [][]byte
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, i := range indexes {
			found = append(found, stored[i])
		}
		return found, nil
	})
	for i := int64(0); i < size; i++ {
		entry := bytes.Repeat([]byte{byte(i)}, int(i*i%700))
		more, err := tlog.StoredHashes(i, entry, reader)
		if err != nil {
			return "", err
		}
		stored, all = append(stored, more...), append(all, entry)
	}
	for _, t := range ownTiles(size) {
		data, err := tlog.ReadTileData(t, reader)
		if err != nil {
			return "", err
		}
		if err := put(dir, pathOf(t), data); err != nil {
			return "", err
		}
		if t.L > 0 {
			continue
		}
		var joined []byte
		for _, entry := range all[t.N<<height : t.N<<height+int64(t.W)] {
			joined = append(joined, byte(len(entry)>>8), byte(len(entry)))
			joined = append(joined, entry...)
		}
		t.L = entriesTile
		if err := put(dir, pathOf(t), joined); err != nil {
			return "", err
		}
	}
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		return "", err
	}
	tree := string(tlog.FormatTree(tlog.Tree{N: size, Hash: root}))
	head, err := sign([]byte(origin+tree[strings.Index(tree, "\n"):]), []string{private})
	if err != nil {
		return "", err
	}
	return vkey, put(dir, "checkpoint", head)
}

func put(dir, path string, data []byte) error {
	path = filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// signers counts the entries of a log that x/mod opens as notes of one of the keys.
func signers(where string, size int64, vkeys []string) (int, error) {
	all, err := verifiersOf(vkeys)
	if err != nil {
		return 0, err
	}
	opened := 0
	list, err := entries(sourceOf(where), size)
	for _, entry := range list {
		if _, err := note.Open(entry, note.VerifierList(all...)); err == nil {
			opened++
		}
	}
	return opened, err
}
