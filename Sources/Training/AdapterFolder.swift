import Foundation
import Kernels
import Primitives
import Storage

/// A folder with a low-rank adapter as PEFT writes it: `adapter_config.json` and `adapter_model.safetensors`.
package enum AdapterFolder {
  package static let format = "weir.adapter.1"
  package static let configurationFile = "adapter_config.json"
  static let weightsFile = "adapter_model.safetensors"
  private static let prefix = "base_model.model."

  /// The members of `adapter_config.json` that matter to Weir.
  private struct Config: Codable {
    var peft_type = "LORA"
    var task_type = "CAUSAL_LM"
    var base_model_name_or_path: String
    var r: Int
    var lora_alpha: Double
    var lora_dropout: Double
    var target_modules: [String]
    var bias = "none"
    var fan_in_fan_out = false
    var use_rslora = false
    var use_dora = false
    var init_lora_weights = true
    var inference_mode = true
  }

  private static func name(_ pair: LowRankAdapter.Pair, _ factor: String) -> String { "\(prefix)\(pair.module).lora_\(factor).weight" }

  /// Both factors of a matrix: name, shape, and offset in the factors.
  private static func tensors(_ pair: LowRankAdapter.Pair, rank: Int) -> [(name: String, shape: [Int], offset: Int)] {
    [(name(pair, "A"), [rank, pair.from], pair.a), (name(pair, "B"), [pair.to, rank], pair.b)]
  }

  /// Writes a folder atomically.
  /// - Parameters:
  ///   - base: the fingerprint of the model that the adapter belongs to.
  ///   - origin: the path or name of that model, for PEFT.
  static func write(_ folder: String, _ adapter: LowRankAdapter, base: String, origin: String, inputs: [String: String]) throws {
    let output = try AtomicFolder(folder, replacing: true), setting = adapter.setting
    let tensors = adapter.pairs.joined().flatMap { Self.tensors($0, rank: setting.rank) }
    let writer = try SafetensorsWriter(
      output.working + "/" + weightsFile, layout: tensors.map { ($0.name, .F32, $0.shape) }, metadata: ["format": "pt"])
    for tensor in tensors {
      try writer.append(UnsafeBufferPointer(start: adapter.factors.base + tensor.offset, count: tensor.shape.reduce(1, *)))
    }
    _ = try writer.commit()
    let config = Config(
      base_model_name_or_path: origin, r: setting.rank, lora_alpha: setting.alpha, lora_dropout: setting.dropout ?? 0,
      target_modules: setting.adapted.map(\.rawValue))
    try JSONFile.write(config, to: output.working + "/" + configurationFile)
    _ = try output.commit(
      format: format, tool: Tool.name, inputs: inputs.merging(["base": base]) { $1 }, configuration: JSONValue(encoding: setting),
      counts: ["parameters": adapter.factors.count])
  }

  /// A checksum of the settings and the factors.
  package static func fingerprint(_ folder: String) throws -> String {
    try [configurationFile, weightsFile].map { try Checksum.hex(file: folder + "/" + $0) }.joined(separator: " ")
  }

  /// The settings of an adapter, with the fingerprint of its factors.
  /// - Throws: `WeirError` if it is not a LoRA adapter, or uses an extension of LoRA that Weir does not support.
  package static func setting(_ folder: String) throws -> LowRank {
    let path = folder + "/" + configurationFile
    guard Files.exists(path) else {
      throw WeirError(
        folder, Files.exists(folder) ? "contains no adapter (\(configurationFile))" : "does not exist", remedy: "give a PEFT adapter folder"
      )
    }
    let config = try JSONFile.read(JSONValue.self, from: path)
    func refuse(_ reason: String) -> WeirError {
      WeirError(path, reason, remedy: "merge the adapter into its model with PEFT, and finetune the merged model")
    }
    guard config["peft_type"]?.string == "LORA" else {
      throw refuse("is an adapter of type \(config["peft_type"]?.string ?? "?"); only LORA is supported")
    }
    for name in ["use_dora", "fan_in_fan_out", "lora_bias"] where config[name] == true {
      throw refuse("sets \(name), which is not supported")
    }
    if let bias = config["bias"]?.string, bias != "none" { throw refuse("trains biases (\"bias\": \"\(bias)\"), which is not supported") }
    for name in ["rank_pattern", "alpha_pattern", "modules_to_save", "layers_to_transform", "layer_replication", "target_parameters"] {
      switch config[name] {
      case nil, .null, .array([]), .object([:]): continue
      default: throw refuse("sets \(name), which is not supported")
      }
    }
    guard let rank = config["r"]?.number.flatMap({ Int(exactly: $0) }), let alpha = config["lora_alpha"]?.number else {
      throw WeirError(path, "has no r or lora_alpha")
    }
    var setting = LowRank(rank: rank, alpha: alpha)
    // rsLoRA (2312.03732) scales by α/√r, which is the scale α/r of another α.
    if config["use_rslora"] == true { setting.alpha *= Double(rank).squareRoot() }
    if let dropout = config["lora_dropout"]?.number, dropout > 0 { setting.dropout = dropout }
    switch config["target_modules"] {
    case .array(let names):
      let targets = try names.map { name -> LowRank.Target in
        guard let target = name.string.flatMap({ LowRank.Target(rawValue: $0.split(separator: ".").last.map(String.init) ?? "") }) else {
          throw refuse("adapts \(name.string ?? "?"), not only \(LowRank.Target.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return target
      }
      if Set(targets).count < LowRank.Target.allCases.count { setting.targets = LowRank.Target.allCases.filter(targets.contains) }
    case .string("all-linear"): break
    default: throw refuse("has target_modules that are not a list of names")
    }
    do { try setting.validate() } catch let error as WeirError { throw WeirError(path, "\(error.place) \(error.reason)") }
    setting.initial = try fingerprint(folder)
    return setting
  }

  /// Throws `WeirError` if an adapter does not fit a model.
  /// - Parameter base: the fingerprint of the model, compared with that of an adapter that Weir wrote.
  package static func check(_ folder: String, _ setting: LowRank, model c: ModelConfiguration, base: String) throws {
    let file = try SafetensorsFile(folder + "/" + weightsFile)
    var known: Set<String> = []
    let adapter = LowRankAdapter(c, setting, training: false)
    for tensor in adapter.pairs.joined().flatMap({ tensors($0, rank: setting.rank) }) {
      known.insert(tensor.name)
      guard let shape = file.shape(tensor.name) else {
        throw WeirError(file.path, "has no tensor \"\(tensor.name)\", which the model needs", remedy: "use an adapter of this model")
      }
      guard shape == tensor.shape else {
        throw WeirError(
          file.path, "tensor \"\(tensor.name)\" is \(shape), but the model needs \(tensor.shape)", remedy: "use an adapter of this model")
      }
    }
    if let extra = file.names.first(where: { !known.contains($0) }) {
      throw WeirError(file.path, "has a tensor \"\(extra)\", which the model does not have", remedy: "use an adapter of this model")
    }
    guard Files.exists(folder + "/" + Manifest.fileName), let own = try Manifest.read(folder: folder, format: format).inputs["base"] else {
      return
    }
    guard own == base else {
      throw WeirError(folder, "was trained on another model than this one", remedy: "use the model that it was trained on")
    }
  }

  /// Reads the factors of an adapter that has been checked.
  static func read(_ folder: String, into adapter: LowRankAdapter) throws {
    // PEFT's own folders have no manifest.
    if Files.exists(folder + "/" + Manifest.fileName) { try Manifest.read(folder: folder).check(in: folder) { _ in true } }
    let file = try SafetensorsFile(folder + "/" + weightsFile)
    for tensor in adapter.pairs.joined().flatMap({ tensors($0, rank: adapter.setting.rank) }) {
      try file.withFloats(tensor.name) { floats in
        guard floats.count == tensor.shape.reduce(1, *) else { throw WeirError(file.path, "tensor \"\(tensor.name)\" has another shape") }
        adapter.factors.write(floats, at: tensor.offset)
      }
    }
    guard adapter.factors.isFinite else { throw WeirError(file.path, "contains NaN/Inf", remedy: "use another adapter") }
  }

  /// The parameters of a model with an adapter merged into them.
  package static func merged(_ folder: String, into model: String) throws -> (configuration: ModelConfiguration, parameters: FloatBuffer) {
    let setting = try setting(folder), (configuration, parameters) = try ModelFolder.load(model)
    try check(folder, setting, model: configuration, base: ModelInitialization.folder(model).resolve().fingerprint)
    let adapter = LowRankAdapter(configuration, setting, training: false)
    try read(folder, into: adapter)
    adapter.merge(into: parameters, of: configuration)
    return (configuration, parameters)
  }
}

/// The folder of an adapter.
package struct StoredAdapter: Artifact {
  package static let format = AdapterFolder.format
  package static let form = ArtifactForm.folder
  package static let fileKinds = [AdapterFolder.configurationFile: "adapter configuration"]

  private let path: String

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.contains(AdapterFolder.configurationFile) }

  package static func open(_ path: String) throws -> StoredAdapter { StoredAdapter(path: path) }

  /// The configuration and the factors are checked as files.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {}

  package static func describe(_ path: String, lines: Int) throws -> [String]? {
    let setting = try AdapterFolder.setting(path), targets = setting.adapted.map(\.rawValue).joined(separator: ", ")
    return [
      kind,
      "rank \(setting.rank), alpha \(Format.significant(setting.alpha)), dropout \(Format.significant(setting.dropout ?? 0)), \(targets)",
      "",
    ]
      + (try SafetensorsFile(path + "/" + AdapterFolder.weightsFile).table(lines))
  }
}

/// The folder of stored predictions.
package struct StoredTeacher: Artifact {
  package static let format = TeacherCache.format
  package static let form = ArtifactForm.folder

  package static func open(_ path: String) throws -> StoredTeacher { StoredTeacher() }

  /// The values are checked as a file.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {}
}

/// The folder of a model's Fisher information.
package struct StoredFisher: Artifact {
  package static let format = FisherInformation.format
  package static let form = ArtifactForm.folder

  package static func open(_ path: String) throws -> StoredFisher { StoredFisher() }

  /// The values are checked as a file.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {}
}
