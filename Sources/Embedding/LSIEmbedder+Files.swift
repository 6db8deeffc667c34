import Primitives
import Storage

extension LSIEmbedder {
  /// Saves `embedder.json` and `model.safetensors` (idf, projection, singular values).
  package func save(to folder: String) throws {
    try EmbedderFolder.describe(self, kind: "lsi", configuration, in: folder)
    let projection = projection
    _ = try Safetensors.write(
      folder + "/" + EmbedderFolder.modelFile,
      floats: [
        ("idf", [configuration.buckets], idf), ("projection", [projection.count / dimensions, dimensions], projection),
        ("singular_values", [dimensions], singularValues),
      ], metadata: ["format": EmbedderFolder.format, "kind": "lsi"])
  }

  /// Loads an embedder and checks its fingerprint.
  /// - Parameter folder: that of the embedder, of window vectors, or of a cluster tree.
  package init(folder: String) throws {
    let folder = EmbedderFolder.resolved(folder)
    let description = try EmbedderFolder.description(folder, kind: "lsi", as: Configuration.self)
    try description.configuration.validate()
    let file = try SafetensorsFile(folder + "/" + EmbedderFolder.modelFile)
    let (buckets, width) = (description.configuration.buckets, description.configuration.dimensions)
    guard file.shape("idf") == [buckets], file.shape("projection").map({ $0.count == 2 && $0[1] == width }) ?? false,
      file.shape("singular_values") == [width]
    else { throw WeirError(file.path, "its tensors do not match embedder.json", remedy: "make the embedder again") }
    try self.init(
      configuration: description.configuration, tokenizer: description.tokenizer, idf: file.floats("idf"),
      projection: file.floats("projection"), singularValues: file.floats("singular_values"))
    try description.check(fingerprint, file: file.path)
  }

  /// XXH3-64 over the configuration, the tokenizer and the weights.
  static func fingerprint(configuration: Configuration, tokenizer: String, idf: [Float], projection: [Float]) throws -> String {
    let stream = ChecksumStream()
    let head = try JSONFile.encode(configuration) + Array("\nlsi.2 \(tokenizer)\n".utf8)
    head.withUnsafeBytes { stream.update($0) }
    idf.withUnsafeBytes { stream.update($0) }
    projection.withUnsafeBytes { stream.update($0) }
    return Checksum.hex(stream.value)
  }
}
