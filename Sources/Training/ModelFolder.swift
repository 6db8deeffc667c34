import Foundation
import Kernels
import Primitives
import Storage

/// A model folder as Hugging Face transformers writes it: `config.json`, `model.safetensors`, `generation_config.json` and tokenizer files.
///
/// A new model without QK-norm is a Llama, one with QK-norm a Qwen 3. A model that was trained from another folder keeps everything of that
/// folder but the weights.
package enum ModelFolder {
  package static let format = "weir.model.1"

  static func configurationPath(_ folder: String) -> String { folder + "/config.json" }

  /// The model folder that `path` refers to: itself, or the final model if it is a run folder.
  package static func locate(_ path: String) throws -> String {
    for candidate in [path, RunFolder(path).model] where Files.exists(configurationPath(candidate)) { return candidate }
    if Files.exists(path + "/adapter_config.json") {
      throw WeirError(path, "contains an adapter without its model", remedy: "merge the adapter into the model and save that")
    }
    throw WeirError(
      path, Files.exists(path) ? "contains no model (config.json)" : "does not exist", remedy: "give a model folder or a finished run")
  }

  /// The end-of-document token in `config.json`, the first if there are several.
  package static func endOfDocument(_ folder: String) -> Int? { ids("eos_token_id", configurationPath(folder))?.first }

  /// The beginning-of-text token in `config.json`.
  package static func beginning(_ folder: String) -> Int? { ids("bos_token_id", configurationPath(folder))?.first }

  /// All tokens that end a text, from `generation_config.json` or else from `config.json`.
  package static func endings(_ folder: String) -> Set<Int> {
    Set(ids("eos_token_id", folder + "/" + generationFile) ?? ids("eos_token_id", configurationPath(folder)) ?? [])
  }

  /// The id or list of ids in a member of a JSON file.
  private static func ids(_ member: String, _ path: String) -> [Int]? {
    switch (try? JSONFile.read(JSONValue.self, from: path))?[member] {
    case .array(let values): values.compactMap { $0.number.flatMap(Int.init(exactly:)) }
    case .number(let value): Int(exactly: value).map { [$0] }
    default: nil
    }
  }

  static let generationFile = "generation_config.json"

  /// Reads the configuration and the weights.
  package static func load(_ folder: String) throws -> (configuration: ModelConfiguration, parameters: FloatBuffer) {
    let configuration = try configuration(folder)
    try check(folder, configuration: configuration)
    let parameters = FloatBuffer(ParameterLayout(configuration).count)
    try readWeights(folder, configuration: configuration, into: parameters)
    return (configuration, parameters)
  }
}
