// SPDX-License-Identifier: Apache-2.0

// Checkpoints, keys and policies, with x/mod's sumdb/note as the one that verifies.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const cosignature = 0x04 // key type of cosignature/v1, which x/mod does not know

// witness is a note.Verifier of C2SP tlog-cosignature: the time is a part of what is signed.
type witness struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.id }

func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize || signature[0]&0x80 != 0 {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(signature))
	return ed25519.Verify(w.key, append([]byte(head), text...), signature[8:])
}

// verifierOf reads a vkey: x/mod its own type of key, we the witnesses'.
func verifierOf(vkey string) (note.Verifier, error) {
	part := strings.SplitN(vkey, "+", 3)
	if len(part) != 3 {
		return nil, fmt.Errorf("%q is no vkey", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignature {
		return note.NewVerifier(vkey)
	}
	digest := sha256.Sum256(append([]byte(part[0]+"\n"), key...))
	id := binary.BigEndian.Uint32(digest[:])
	if part[1] != fmt.Sprintf("%08x", id) {
		return nil, fmt.Errorf("%q has another key id", vkey)
	}
	return witness{part[0], id, key[1:]}, nil
}

func verifiersOf(vkeys []string) ([]note.Verifier, error) {
	var all []note.Verifier
	for _, vkey := range vkeys {
		v, err := verifierOf(vkey)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// policy is what a tlog-policy file lists: one log and its witnesses.
type policy struct {
	origin    string
	verifiers note.Verifiers
	known     int
}

func policyOf(text string) (policy, error) {
	var vkeys []string
	for _, line := range strings.Split(text, "\n") {
		word := strings.Fields(line)
		if len(word) > 1 && word[0] == "log" {
			vkeys = append([]string{word[1]}, vkeys...)
		}
		if len(word) > 2 && word[0] == "witness" {
			vkeys = append(vkeys, word[2])
		}
	}
	all, err := verifiersOf(vkeys)
	if err != nil || len(all) == 0 {
		return policy{}, fmt.Errorf("no policy: %v", err)
	}
	return policy{all[0].Name(), note.VerifierList(all...), len(all)}, nil
}

// treeOf gives the tree in a checkpoint's text. x/mod has its own log's name for an origin in its
// parser; everything behind the first line is common.
func treeOf(text, origin string) (tlog.Tree, error) {
	if !strings.HasPrefix(text, origin+"\n") {
		return tlog.Tree{}, fmt.Errorf("another origin than %s", origin)
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + text[len(origin)+1:]))
	if err == nil && tree.N == 0 && tree.Hash != sha256.Sum256(nil) {
		err = fmt.Errorf("size 0 with a root of something")
	}
	return tree, err
}

// checkpointOf opens a checkpoint: every known line of it verifies, and the log signed it.
func checkpointOf(data []byte, p policy) (tlog.Tree, int, error) {
	n, err := note.Open(data, p.verifiers)
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	signed := false
	for _, s := range n.Sigs {
		signed = signed || s.Name == p.origin
	}
	if !signed {
		return tlog.Tree{}, 0, fmt.Errorf("not signed by the log")
	}
	tree, err := treeOf(n.Text, p.origin)
	return tree, len(n.Sigs), err
}

// sign adds a signature of each private key to a text, as x/mod writes notes.
func sign(text []byte, keys []string) ([]byte, error) {
	var all []note.Signer
	for _, key := range keys {
		s, err := note.NewSigner(strings.TrimSpace(key))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		return nil, fmt.Errorf("a text ends in a line feed")
	}
	return note.Sign(&note.Note{Text: string(text)}, all...)
}
