import Artifacts
import Documents
import Foundation
import Inspection
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Workflows

@Test func aDatasetIsShownWithItsDocuments() throws {
  try withTemporaryFolder { folder in
    let set = folder + "/set"
    let writer = try TokenDatasetWriter(set, tokenizer: "abc", tokenizerFile: [], vocabulary: 1_000, endOfDocument: 0)
    try writer.append([
      TokenDocument(id: "first\u{1B}[31m", source: "web", origin: "in.jsonl:1", bytes: 1_234, tokens: [5, 258]),
      TokenDocument(id: "second", origin: "in.jsonl:2", bytes: 9, tokens: Array(1...20)),
    ])
    let manifest = try writer.commit(tool: "weir test")
    #expect(
      try Peek.text(set, registry: .all, lines: 5) == """
        \(set): token dataset
        documents    2
        tokens       24 (12 per document, end-of-document tokens included)
        text         1,243 bytes (51.79 per token)
        windows      2
        vocabulary   1,000, end-of-document token 0
        tokenizer    abc
        fingerprint  \(manifest.fingerprint)
        written by   weir test

        shard        documents  tokens  bytes per token
        shard-00000          2      24                2

        document  tokens  bytes  id          origin      first tokens
               0       3  1,234  first [31m  in.jsonl:1  5 258 0
               1      21      9  second      in.jsonl:2  1 2 3 4 5 6 7 8 …

        """)
    #expect(try Peek.text(set + "/", registry: .all, lines: 1).contains("… and 1 more documents"))
    #expect(
      try Peek.text(set + "/shard-00000.idx", registry: .all) == """
        \(set)/shard-00000.idx: Megatron index, u16 tokens
        2 documents, 24 tokens
        lengths: minimum 3, maximum 21, mean 12
        first lengths: 3 21

        """)
    #expect(try Peek.text(set + "/shard-00000.bin", registry: .all, lines: 1).contains("       0       3  5 258 0\n… and 1 more documents"))
  }
}

@Test func tensorsAreShownWithTheirNumbers() throws {
  try withTemporaryFolder { folder in
    _ = try Safetensors.write(
      folder + "/a.safetensors",
      tensors: [
        ("x", .F32, [2, 2], Array([Float(-1), 0.5, 2, .nan].withUnsafeBytes { Array($0) })), ("ids", .I32, [1], [1, 0, 0, 0]),
        ("empty", .F32, [0], []),
      ], metadata: ["format": "pt"])
    let text = try Peek.text(folder + "/a.safetensors", registry: .all)
    #expect(text.contains("format: pt\n"))
    #expect(text.contains("x       F32   [2, 2]       -1        2   0.5  1 NaN/Inf"))
    #expect(text.contains("ids     I32   [1]"))
    #expect(try Peek.text(folder + "/a.safetensors", registry: .all, lines: 1).contains("… and 2 more tensors"))
  }
}

@Test func aMixtureIsShownHeaviestFirst() throws {
  try withTemporaryFolder { folder in
    try JSONFile.write(sampleMixture([0.25, 0.5, 0.25]), to: folder + "/mixture.json")
    let lines = try Peek.text(folder + "/mixture.json", registry: .all, lines: 2).split(separator: "\n").map(String.init)
    #expect(lines[0] == folder + "/mixture.json: mixture")
    let head = lines.firstIndex { $0.hasPrefix("leaf") } ?? 0
    #expect(lines[head + 1].split(separator: " ").prefix(4) == ["1", "0.5", "0.3333", "1.5"])
    #expect(lines[head + 2].split(separator: " ").first == "0")
    #expect(lines.last == "… and 1 more clusters")
  }
}

@Test func foldersOfClustersAreShown() throws {
  try withTemporaryFolder { folder in
    var tree = ClusterTree(
      embedder: "e", dimensions: 2, spherical: true,
      nodes: [
        .init(parent: -1, level: 0, firstChild: 1, childCount: 2, leaf: -1),
        .init(parent: 0, level: 1, firstChild: 0, childCount: 0, leaf: 0),
        .init(parent: 0, level: 1, firstChild: 0, childCount: 0, leaf: 1),
      ], centroids: [0, 0, 1, 0, 0, 1])
    tree.numberLeaves()
    _ = try StoredTree.write(
      tree, to: folder + "/tree", embedder: nil, inputs: ["tokenizer": "t"], configuration: .object([:]), tool: "test")
    let shown = try Peek.text(folder + "/tree", registry: .all)
    #expect(
      shown.contains("2 dimensions, cosine similarity") && shown.contains("    0      1       0         2\n    1      2       2\n"))
    #expect(try Verification.check(folder + "/tree", registry: .all).problems == [])
    _ = try ClusterAssignment(dataset: "d", tree: "t", leafCount: 4, leaves: [1, 1, 3]).write(to: folder + "/assigned", tool: "test")
    let assigned = try Peek.text(folder + "/assigned", registry: .all)
    #expect(assigned.contains("2 leaves are empty") && assigned.contains("   1        2  0.6667\n   3        1  0.3333\n"))
    try writeTensors(folder + "/vectors", format: WindowVectors.format, name: "vectors", shape: [2, 2], floats: [3, 4, 0, 1])
    #expect(try Peek.text(folder + "/vectors", registry: .all).contains("     0     5  3 4\n     1     1  0 1\n"))
    #expect(
      try Verification.check(folder + "/vectors", registry: .all).problems == []
        && Verification.check(folder + "/assigned", registry: .all).problems == [])
  }
}

@Test func runsModelsAndTokenizersAreShown() throws {
  try withTemporaryFolder { folder in
    try writeRun(folder + "/run")
    let run = try Peek.text(folder + "/run", registry: .all)
    #expect(run.contains("last steps (2 in log.jsonl)") && run.contains(#"{"step": 2, "loss": 5.25}"#))
    #expect(run.contains("checkpoints: step-00000002") && run.contains("finished: model/ exists"))
    let model = try Peek.text(folder + "/run/model", registry: .all)
    #expect(
      model.contains("llama: vocabulary 300, width 4, 1 layers") && model.contains("model.norm.weight  F32   [4]          1        4   2.5")
    )
    try Files.write(Array(smallTokenizer.utf8), to: folder + "/tokenizer.json")
    let tokenizer = try Peek.text(folder + "/tokenizer.json", registry: .all)
    #expect(
      tokenizer.contains("vocabulary     4 tokens, 1 merges") && tokenizer.contains("    0  a     b") && tokenizer.contains("<|end|> 2"))
  }
}

@Test func linesAndOtherJSONAreShown() throws {
  try withTemporaryFolder { folder in
    let long = String(repeating: "word ", count: 100)
    try Files.write(
      Array("{\"id\": \"a\", \"text\": \"\(long)\"}\n\n{\"id\": 2, \"text\": \"b\\nc\"}\n{\"n\": 1}\nnot\n".utf8), to: folder + "/d.jsonl")
    let shown = try Peek.text(folder + "/d.jsonl", registry: .all)
    #expect(shown.contains("   1  a             500  word word") && shown.contains("   3  2               3  b c"))
    #expect(shown.contains("   5  not a JSON object: not") && shown.contains("   4  {\"n\": 1}"))
    #expect(try Peek.text(folder + "/d.jsonl", registry: .all, lines: 1).hasSuffix("…\n"))
    try Files.write(
      Array(#"{"key": "k", "command": "weir read", "outputs": {"a": "b"}, "accounts": [1, 2], "seconds": 1.5}"#.utf8),
      to: folder + "/s.json")
    let step = try Peek.text(folder + "/s.json", registry: .all)
    #expect(step.contains("step state\n") && step.contains("  outputs   {a: b}\n") && step.contains("  accounts  [1, 2]\n"))
    let listing = try Peek.text(folder, registry: .all)
    #expect(listing.contains("  d.jsonl  JSON Lines\n  s.json   step state\n"))
  }
}

@Test func whatCannotBeShownIsSaid() throws {
  try withTemporaryFolder { folder in
    for path in [folder, folder + "/none"] { #expect(throws: WeirError.self) { try Peek.text(path, registry: .all) } }
    try Files.write(Array("hello".utf8), to: folder + "/notes.txt")
    #expect(throws: WeirError.self) { try Peek.text(folder + "/notes.txt", registry: .all) }
    // Random bytes under any of our names are an error, never a trap.
    var generator = SequentialRandom(seed: 4)
    for ending in ["idx", "bin", "safetensors", "json", "jsonl", "jsonl.zst", "jsonl.gz"] {
      for length in [0, 1, 9, 40, 1_100] {
        var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
        if ending == "idx" { bytes.replaceSubrange(0..<min(9, length), with: Array("MMIDIDX\0\0".utf8).prefix(length)) }
        if ending == "bin", length >= 4 { bytes.replaceSubrange(0..<4, with: [0x88, 0xD8, 0x34, 0x01]) }
        if ending == "jsonl.zst", length >= 4 { bytes.replaceSubrange(0..<4, with: [0x28, 0xB5, 0x2F, 0xFD]) }
        if ending == "jsonl.gz", length >= 2 { bytes.replaceSubrange(0..<2, with: [0x1F, 0x8B]) }
        let path = folder + "/x." + ending
        try Files.write(bytes, to: path)
        _ = try? Peek.text(path, registry: .all)
        _ = try? Verification.check(path, registry: .all)
        try Files.remove(path)
      }
    }
  }
}
