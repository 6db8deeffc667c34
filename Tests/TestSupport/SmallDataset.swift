import Primitives
import Storage
import Tokens

/// A tokenizer.json as small as they come.
package let smallTokenizer = """
  {"version": "1.0", "added_tokens": [{"id": 2, "content": "<|end|>", "special": true}], "pre_tokenizer": {"type": "ByteLevel"},
   "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "<|end|>": 2, "ab": 3}, "merges": [["a", "b"]]}}
  """

/// A small dataset of random documents in several shards.
@discardableResult
package func writeDataset(_ path: String, seed: UInt64, documents: Int = 12, vocabulary: Int = 300, shardTokens: Int = 60) throws
  -> Manifest
{
  var generator = SequentialRandom(seed: seed)
  let writer = try TokenDatasetWriter(
    path, tokenizer: "0123456789abcdef", tokenizerFile: Array(smallTokenizer.utf8), vocabulary: vocabulary, endOfDocument: 2,
    shardTokens: shardTokens)
  try writer.append(
    (0..<documents).map { index in
      let length = Int.random(in: 1...20, using: &generator)
      return TokenDocument(
        id: "d\(index)", source: "web", origin: "in.jsonl:\(index + 1)", bytes: length * 3,
        tokens: (0..<length).map { _ in UInt32.random(in: 3..<UInt32(vocabulary), using: &generator) })
    })
  return try writer.commit(tool: "test")
}
