// SPDX-License-Identifier: Apache-2.0

// Where a log's files are read: a folder or a web server, with the paths of C2SP tlog-tiles.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height      = 8       // of every tile: 256 hashes
	fileMax     = 1 << 25 // bytes of an answer; the largest entry bundle has half of that
	entriesTile = -1      // x/mod's level of record data
)

type source interface {
	read(path string) ([]byte, error)
}

type folder string

func (f folder) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
}

type site string

func (s site) read(path string) ([]byte, error) {
	answer, err := http.Get(string(s) + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", path, answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, fileMax+1))
	if err == nil && len(body) > fileMax {
		err = fmt.Errorf("%s: more than %d bytes", path, fileMax)
	}
	return body, err
}

func sourceOf(where string) source {
	if strings.HasPrefix(where, "http://") {
		return site(strings.TrimSuffix(where, "/"))
	}
	return folder(where)
}

// pathOf gives tlog-tiles' path, without the height that x/mod has in it: tile/8/0/x001/067.p/5 is
// tile/0/x001/067.p/5, and tile/8/data/005 is tile/entries/005.
func pathOf(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", t.H))
	if t.L == entriesTile {
		path = "entries" + strings.TrimPrefix(path, "data")
	}
	return "tile/" + path
}

// tiles is x/mod's tlog.TileReader over a source.
type tiles struct{ from source }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, w := range wanted {
		data, found, err := readTile(t.from, w)
		if err != nil {
			return nil, err
		}
		if len(data) != found.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes", pathOf(found), len(data))
		}
		all = append(all, data[:w.W*tlog.HashSize])
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// readTile falls back to the full tile: a log may drop partial ones once that exists.
func readTile(from source, t tlog.Tile) ([]byte, tlog.Tile, error) {
	data, err := from.read(pathOf(t))
	if err != nil && t.W < 1<<height {
		t.W = 1 << height
		data, err = from.read(pathOf(t))
	}
	return data, t, err
}

// bundle takes the entries of one tile apart: exactly as many as it is wide.
func bundle(from source, t tlog.Tile) ([][]byte, error) {
	var all [][]byte
	data, found, err := readTile(from, t)
	if err != nil {
		return nil, err
	}
	for i := 0; i < found.W; i++ {
		if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
			return nil, fmt.Errorf("%s: cut short", pathOf(found))
		}
		n := 2 + int(data[0])<<8 + int(data[1])
		all = append(all, data[2:n])
		data = data[n:]
	}
	if len(data) != 0 {
		return nil, fmt.Errorf("%s: %d bytes too many", pathOf(found), len(data))
	}
	return all[:t.W], nil
}

// entries gives all entries of a tree.
func entries(from source, size int64) ([][]byte, error) {
	var all [][]byte
	for first := int64(0); first < size; first += 1 << height {
		t := tlog.Tile{H: height, L: entriesTile, N: first >> height, W: 1 << height}
		if size-first < 1<<height {
			t.W = int(size - first)
		}
		some, err := bundle(from, t)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
