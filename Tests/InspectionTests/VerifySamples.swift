import Artifacts
import Documents
import Foundation
import Primitives
import Storage
import Tokens

/// A folder with one tensor file and a manifest.
func writeTensors(_ path: String, format: String, name: String, shape: [Int], floats: [Float]) throws {
  let folder = try AtomicFolder(path)
  _ = try Safetensors.write(folder.working + "/\(name).safetensors", floats: [(name, shape, floats)])
  _ = try folder.commit(
    format: format, tool: "test", inputs: ["dataset": "d", "embedder": "e", "tokenizer": "t"], configuration: .object([:]),
    counts: ["windows": shape[0], "dimensions": shape.last ?? 1])
}

/// A mixture of three clusters.
func sampleMixture(_ weights: [Double] = [0.5, 0.25, 0.25]) -> Mixture {
  Mixture(
    method: "crisp", dataset: "d", tree: "t", assignment: "a", seedData: "seed.jsonl s", depth: 2, smoothing: 1, maxEpochs: 4,
    runTokens: 1_000,
    moved: 0, effectiveSampleSize: 12,
    clusters: weights.enumerated().map { leaf, weight in
      Mixture.Cluster(
        leaf: leaf, general: 1 / Double(weights.count), seed: weight, weight: weight, windows: 4, tokens: 100, epochs: 10 * weight)
    })
}

/// A training run's folder as the trainer leaves it.
func writeRun(_ path: String) throws {
  try Files.createFolder(path + "/checkpoints")
  try Files.write(
    Array(#"{"format": "weir.run.1", "model": {"width": 4, "layers": 1}, "data": "d", "batch": [2, 8]}"#.utf8), to: path + "/run.json")
  try Files.write(Array("{\"step\": 1, \"loss\": 5.5}\n{\"step\": 2, \"loss\": 5.25}\n".utf8), to: path + "/log.jsonl")
  try Files.write([], to: path + "/evaluations.jsonl")
  for (name, format) in [("model", "weir.model.1"), ("checkpoints/step-00000002", "weir.checkpoint.1")] {
    let folder = try AtomicFolder(path + "/" + name)
    _ = try Safetensors.write(
      folder.working + "/model.safetensors", floats: [("model.norm.weight", [4], [1, 2, 3, 4])], metadata: ["format": "pt"])
    try JSONFile.write(
      JSONValue.object(["model_type": "llama", "hidden_size": 4, "num_hidden_layers": 1, "vocab_size": 300]),
      to: folder.working + "/config.json")
    _ = try folder.commit(format: format, tool: "test", inputs: [:], configuration: .object([:]), counts: ["parameters": 4])
  }
  try ChecksumList.add(["run.json", "log.jsonl", "evaluations.jsonl"], in: path)
}

/// Flips one bit of a file for the time of `body`.
func withFlippedBit<R>(_ path: String, bit: Int, _ body: () throws -> R) throws -> R {
  let whole = try Files.read(path)
  var damaged = whole
  damaged[bit / 8] ^= 1 << UInt8(bit % 8)
  try Data(damaged).write(to: URL(fileURLWithPath: path))
  defer { try? Data(whole).write(to: URL(fileURLWithPath: path)) }
  return try body()
}
