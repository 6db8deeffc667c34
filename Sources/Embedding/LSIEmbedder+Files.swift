import Primitives
import Storage

/// `embedder.json`: what an embedder's folder holds.
struct EmbedderDescription<Configuration: Codable>: Codable {
  var format: String
  var kind: String
  var fingerprint: String
  var tokenizer: String
  var configuration: Configuration
}

extension LSIEmbedder {
  /// The format's name in `embedder.json`.
  static let format = "weir.embedder.1"

  /// Saves the embedder: `embedder.json` and `model.safetensors` (idf, projection, singular values).
  /// - Parameter folder: made where it is not there; usually inside an `AtomicFolder`.
  public func save(to folder: String) throws {
    try Files.createFolder(folder)
    _ = try Safetensors.write(
      folder + "/model.safetensors",
      floats: [
        ("idf", [configuration.buckets], idf), ("projection", [configuration.buckets, dimensions], projection),
        ("singular_values", [dimensions], singularValues),
      ], metadata: ["format": Self.format, "kind": "lsi"])
    try JSONFile.write(
      EmbedderDescription(
        format: Self.format, kind: "lsi", fingerprint: fingerprint, tokenizer: tokenizer, configuration: configuration),
      to: folder + "/embedder.json")
  }

  /// Loads an embedder and checks that it is the one it says.
  /// - Parameter folder: as `save` made it, or one with it in `embedder/` (window vectors, a cluster tree).
  public init(folder: String) throws {
    let inner = folder + "/" + "embedder"
    let folder = Files.exists(inner + "/embedder.json") ? inner : folder
    let place = folder + "/embedder.json"
    guard Files.exists(place) else { throw WeirError(folder, "no embedder here", remedy: "make one with weir embed") }
    let description = try JSONFile.read(EmbedderDescription<Configuration>.self, from: place)
    guard description.format == Self.format, description.kind == "lsi" else {
      throw WeirError(place, "is a \(description.kind) embedder of format \(description.format), not lsi of \(Self.format)")
    }
    try description.configuration.validate()
    let file = try SafetensorsFile(folder + "/model.safetensors")
    let (buckets, width) = (description.configuration.buckets, description.configuration.dimensions)
    guard file.shape("idf") == [buckets], file.shape("projection") == [buckets, width], file.shape("singular_values") == [width] else {
      throw WeirError(file.path, "does not have the tensors that embedder.json describes", remedy: "make the embedder again")
    }
    try self.init(
      configuration: description.configuration, tokenizer: description.tokenizer, idf: file.floats("idf"),
      projection: file.floats("projection"), singularValues: file.floats("singular_values"))
    guard fingerprint == description.fingerprint else {
      throw WeirError(
        file.path, "its content is not what embedder.json says (\(description.fingerprint))", remedy: "make the embedder again")
    }
  }

  /// Throws where token ids of another tokenizer are to be embedded.
  /// - Parameters:
  ///   - tokenizer: the fingerprint of the data's tokenizer.
  ///   - place: the data, for the message.
  public func check(tokenizer: String, place: String) throws {
    guard tokenizer == self.tokenizer else {
      throw WeirError(
        place, "was tokenized with \(tokenizer), the embedder understands \(self.tokenizer)",
        remedy: "tokenize with the embedder's tokenizer or fit another embedder")
    }
  }

  /// XXH3 over the configuration, the tokenizer and every number of the model.
  static func fingerprint(configuration: Configuration, tokenizer: String, idf: [Float], projection: [Float]) throws -> String {
    let stream = ChecksumStream()
    let head = try JSONFile.encode(configuration) + Array("\nlsi.1 \(tokenizer)\n".utf8)
    head.withUnsafeBytes { stream.update($0) }
    idf.withUnsafeBytes { stream.update($0) }
    projection.withUnsafeBytes { stream.update($0) }
    return Checksum.hex(stream.value)
  }
}
