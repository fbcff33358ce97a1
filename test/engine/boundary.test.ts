/** The structures and prototypes that cross to native code, held to llama.cpp's headers and the shipped libraries. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import koffi, { type TypeObject } from 'koffi';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Functions, prototypes } from '../../extension/engine/llama/functions.ts';
import { checkVersion, loadLibrary } from '../../extension/engine/llama/library.ts';
import * as structs from '../../extension/engine/llama/structs.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';
import { checkOutHeaders, type Declaration, readDeclarations, readPrototype, runC } from './headers.ts';

const declared = {
  llama_model_params: structs.LlamaModelParams,
  llama_context_params: structs.LlamaContextParams,
  llama_model_quantize_params: structs.LlamaModelQuantizeParams,
  llama_model_kv_override: structs.LlamaModelKvOverride,
  llama_batch: structs.LlamaBatch,
  llama_sampler_chain_params: structs.LlamaSamplerChainParams,
  ggml_init_params: structs.GgmlInitParams,
  ggml_tensor: structs.GgmlTensor,
};

/** Members of C's enumerations, as the headers name them, and what structs.ts says they are. */
const enumerators = {
  GGML_TYPE_F32: structs.ggmlType.f32,
  GGML_TYPE_F16: structs.ggmlType.f16,
  GGML_TYPE_Q8_0: structs.ggmlType.q8_0,
  GGML_TYPE_I32: structs.ggmlType.i32,
  LLAMA_FTYPE_MOSTLY_Q8_0: structs.fileType.q8_0,
  LLAMA_KV_OVERRIDE_TYPE_STR: structs.overrideType.text,
  GGML_HINT_SRC0_IS_HADAMARD: structs.hadamardHint,
  LLAMA_FLASH_ATTN_TYPE_ENABLED: structs.flashAttention.enabled,
  GGML_BACKEND_DEVICE_TYPE_CPU: structs.deviceType.cpu,
  GGML_BACKEND_DEVICE_TYPE_GPU: structs.deviceType.gpu,
  GGML_BACKEND_DEVICE_TYPE_IGPU: structs.deviceType.integratedGpu,
};

const defaultParams = {
  llama_model_default_params: structs.LlamaModelParams,
  llama_context_default_params: structs.LlamaContextParams,
  llama_model_quantize_default_params: structs.LlamaModelQuantizeParams,
  llama_sampler_chain_default_params: structs.LlamaSamplerChainParams,
} as const satisfies { [N in keyof Functions]?: TypeObject };

const headers = join(temporaryFolder(), 'llama.cpp');
const library = loadLibrary('cpu');
let layouts: Map<string, string>;
let declarations: ReadonlyMap<string, Declaration>;

beforeAll(() => {
  checkOutHeaders(headers);
  declarations = readDeclarations(headers);
  layouts = runC(headers, [
    ...Object.entries(declared).flatMap(([name, type]) => [
      print(name, '%zu', `sizeof(struct ${name})`),
      ...members(type).flatMap((field) => [
        print(`${name}.${field.name} offset`, '%zu', `offsetof(struct ${name}, ${field.name})`),
        print(`${name}.${field.name} size`, '%zu', `sizeof(((struct ${name} *)0)->${field.name})`),
      ]),
    ]),
    ...Object.keys(enumerators).map((name) => print(name, '%d', `(int) ${name}`)),
  ]);
});

test.each(Object.entries(declared))('%s has the size and the offsets of the C structure', (name, type) => {
  const ours = new Map([
    [name, String(koffi.sizeof(type))],
    ...members(type).flatMap((field): [string, string][] => [
      [`${name}.${field.name} offset`, String(field.offset)],
      [`${name}.${field.name} size`, String(koffi.sizeof(field.type))],
    ]),
  ]);
  const inC = new Map([...layouts].filter(([key]) => key === name || key.startsWith(`${name}.`)));
  expect(ours.size).toBeGreaterThan(2);
  expect(ours).toEqual(inC);
});

test.each(Object.entries(enumerators))('%s is %i', (name, value) => {
  expect(layouts.get(name)).toBe(String(value));
});

describe('default parameters', () => {
  const cases = Object.entries(defaultParams) as [keyof typeof defaultParams, TypeObject][];
  test.each(cases)('%s returns here what it returns in C', (name, type) => {
    const inC = runC(
      headers,
      [
        `struct ${type.name} p = ${name}();`,
        ...members(type).map((field) => {
          const { format, cast } = printedAs(field.type);
          return print(field.name, format, `${cast} p.${field.name}`);
        }),
      ],
      libraryFiles(),
    );
    const ours: Record<string, unknown> = { ...library.functions[name]() };
    expect(Object.keys(ours)).toEqual([...inC.keys()]);
    for (const [field, value] of inC) expect(`${field} ${printed(ours[field])}`).toBe(`${field} ${value}`);
  });
});

describe('prototypes', () => {
  const table = Object.values(prototypes).flat().map(readPrototype);

  test.each(table)('$name is called as the header declares it', ({ name, result, parameters }) => {
    expect({ result, parameters }).toEqual(declarations.get(name));
  });

  test.each(typedFunctions())(
    '$name has the same parameters in TypeScript',
    ({ name, parameters, result }) => {
      const prototype = table.find((entry) => entry.name === name);
      expect(prototype?.parameters.length).toBe(parameters.length);
      prototype?.parameters.forEach((type, index) => {
        expect(`${name} ${index} ${parameters[index]!}`).toBe(`${name} ${index} ${scriptType(type)}`);
      });
      if (prototype !== undefined) expect(result).toBe(scriptType(prototype.result));
    },
  );

  test('the table and the interface name the same functions', () => {
    const names = typedFunctions().map(({ name }) => name);
    expect(table.map(({ name }) => name).sort()).toEqual(names.sort());
  });
});

describe('version', () => {
  test('the shipped libraries are the release of the structures', () => {
    expect(library.version).toBe(structs.llamaCppVersion);
    expect(() => checkVersion(library.version)).not.toThrow();
  });

  test('another version is refused, naming both', () => {
    expect(() => checkVersion('0.3.9')).toThrow(
      `version 0.3.9 and the engine is made for ${structs.llamaCppVersion}`,
    );
  });
});

interface Field {
  readonly name: string;
  readonly type: TypeObject;
  readonly offset: number;
}

function members(type: TypeObject): Field[] {
  return Object.values(type.members ?? {});
}

function print(name: string, format: string, value: string): string {
  return `printf("${name} ${format}\\n", ${value});`;
}

/** Pointers are compared by whether they are null, floats by all their digits. */
function printedAs(type: TypeObject): { format: string; cast: string } {
  if (type.primitive === 'Pointer') return { format: '%d', cast: '!' };
  return { format: '%.17g', cast: '(double)' };
}

function printed(value: unknown): string {
  if (value === null) return '1';
  if (typeof value === 'number' || typeof value === 'boolean') return String(Number(value));
  if (typeof value === 'bigint') return '0';
  throw new Error(`a parameter of type ${typeof value}`);
}

function libraryFiles(): string[] {
  const files = readdirSync(library.folder).filter((name) =>
    /^lib(ggml-base|ggml|llama)(\.v.*)?\.(so|dylib)$/.test(name),
  );
  return files.map((name) => join(library.folder, name));
}

/** How a value of a C type is written in TypeScript here: structures and addresses are both objects. */
function scriptType(type: string): 'number' | 'boolean' | 'other' | 'void' {
  if (type === 'bool') return 'boolean';
  if (type === 'void') return 'void';
  return /^(u?int\d*|size_t|float)$/.test(type) ? 'number' : 'other';
}

/** The members of the interface `Functions`, read off its source. */
function typedFunctions(): { name: string; parameters: string[]; result: string }[] {
  const file = new URL('../../extension/engine/llama/functions.ts', import.meta.url);
  const source = ts.createSourceFile(file.pathname, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === 'Functions',
  );
  const kind = (type: ts.TypeNode | undefined): string => {
    const text = type?.getText() ?? '';
    return ['number', 'boolean', 'void'].includes(text) ? text : 'other';
  };
  return (found?.members ?? []).map((member) => {
    if (!ts.isMethodSignature(member)) throw new Error(`not a method: ${member.getText()}`);
    return {
      name: member.name.getText(),
      parameters: member.parameters.map((parameter) => kind(parameter.type)),
      result: kind(member.type),
    };
  });
}
