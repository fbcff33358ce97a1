import { namePatterns } from './namePatterns.ts';

/**
 * Files that hold keys, passwords or certificates by convention. They are left out unless an .askcodebaseignore
 * brings them back by name.
 */
const secretNames = [
  // environment files
  '.env',
  '.env.*',
  '*.env',
  '.envrc',
  // keys and certificates
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.p8',
  '*.pkcs12',
  '*.jks',
  '*.jceks',
  '*.keystore',
  '*.bks',
  '*.ppk',
  '*.kdb',
  '*.kdbx',
  '*.gpg',
  '*.pgp',
  '*.crt',
  '*.cer',
  '*.der',
  '*.csr',
  '*.ovpn',
  'id_rsa',
  'id_rsa.*',
  'id_dsa',
  'id_dsa.*',
  'id_ecdsa',
  'id_ecdsa.*',
  'id_ed25519',
  'id_ed25519.*',
  'ssh_host_*_key*',
  '.ssh/*',
  '.gnupg/*',
  // registries, hosts and databases
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  '.netrc',
  '_netrc',
  '.pgpass',
  '.my.cnf',
  '.htpasswd',
  '.htdigest',
  '.git-credentials',
  '.dockercfg',
  '.docker/config.json',
  '.gem/credentials',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.m2/settings.xml',
  '.m2/settings-security.xml',
  '.composer/auth.json',
  // clouds and clusters
  'credentials',
  'credentials.json',
  'credentials.yml',
  'credentials.yaml',
  'credentials.csv',
  'credentials.xml',
  'credentials.yml.enc',
  'application_default_credentials.json',
  'client_secret*.json',
  'service-account*.json',
  'service_account*.json',
  'serviceaccount*.json',
  '*-service-account.json',
  '*-firebase-adminsdk-*.json',
  '.aws/config',
  '.azure/accessTokens.json',
  '.boto',
  '.s3cfg',
  'rclone.conf',
  'kubeconfig',
  '*.kubeconfig',
  '.kube/config',
  '*.tfstate',
  '*.tfstate.*',
  '*.tfvars',
  '*.tfvars.json',
  '.terraformrc',
  'terraform.rc',
  '.vault-token',
  '.vault_pass',
  'vault_pass.txt',
  // collections of secrets
  'secrets.json',
  'secrets.yml',
  'secrets.yaml',
  'secrets.toml',
  'secret.json',
  'secret.yml',
  'secret.yaml',
  'master.key',
  '.bash_history',
  '.zsh_history',
] as const;

/** Templates that say which secrets are needed, without any. */
const secretTemplates = [
  '.env.example',
  '.env.sample',
  '.env.template',
  '.env.dist',
  '.env.*.example',
  '.env.*.sample',
  '.env.*.template',
  'example.env',
  'sample.env',
  '*.tfvars.example',
] as const;

const matchesSecret = namePatterns(secretNames);
const matchesTemplate = namePatterns(secretTemplates);

/** Whether the name of the file says that it holds a secret. `path` has forward slashes. */
export function isSecretName(path: string): boolean {
  return matchesSecret(path) && !matchesTemplate(path);
}

/** Whether the text is a private key or a service account, whatever its name: a file that begins as one, not one that quotes one. */
export function isSecretText(text: string): boolean {
  return /^\s*-----BEGIN [A-Z ]*PRIVATE KEY/.test(text) || isServiceAccount(text);
}

function isServiceAccount(text: string): boolean {
  return text.trimStart().startsWith('{') && /"private_key"\s*:\s*"-----BEGIN/.test(text);
}
